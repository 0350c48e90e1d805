import { cacheMetrics } from "./cache/cache-metrics.ts";
import { Caches } from "./cache/caches.ts";
import { WarmUp } from "./cache/warm-up.ts";
import type { Config } from "./config.ts";
import { guarded } from "./health/guarded.ts";
import { Health } from "./health/health.ts";
import { HttpClient } from "./outbound/http-client.ts";
import { Pool } from "./outbound/pool.ts";
import { Bulkhead } from "./resilience/bulkhead.ts";
import { LocalBreakerHistory } from "./resilience/breaker-history.ts";
import { BreakerRegistry } from "./resilience/breaker-registry.ts";
import { PLAIN_CALL } from "./resilience/call.ts";
import { RateLimiter } from "./resilience/rate-limiter.ts";
import { SharedBreakerHistory } from "./redis/breakers-history.ts";
import { sharedBreakerMetrics } from "./redis/breakers-metrics.ts";
import { SharedBreakers } from "./redis/breakers.ts";
import { connectRedis, redisHealth } from "./redis/connect.ts";
import { shareRateLimit } from "./redis/rate-limit.ts";
import { SharedWeights } from "./redis/shared-weights.ts";
import { createStore } from "./store/create-store.ts";
import type { Logger } from "./telemetry/logger.ts";
import { policyMetrics } from "./telemetry/policy-metrics.ts";
import { Weather } from "./weather/weather.ts";

/** Limits for computations; the timeout is in milliseconds. */
const COMPUTATIONS = { maxConcurrent: 1, maxQueue: 100, queueTimeout: 20_000 };

/** The parts that tools and resources use, one of each for the process. */
export type Services = Awaited<ReturnType<typeof createServices>>;

export async function createServices(config: Config, { logger }: { readonly logger: Logger }) {
  const redis = config.redis && (await connectRedis(config.redis, logger));
  const breakers = new BreakerRegistry();
  const { stateSync } = config.breakers;
  const sharedBreakers =
    redis && stateSync > 0
      ? new SharedBreakers({ redis, group: config.color, breakers, interval: stateSync })
      : undefined;
  const localHistory = new LocalBreakerHistory(breakers);
  const history =
    redis && sharedBreakers ? new SharedBreakerHistory(sharedBreakers, redis, localHistory) : localHistory;
  const shared = redis && { redis, breaker: breakers.create({ ...config.breakers.cache, name: "cache", local: true }) };
  const caches = new Caches({ ...config.cache, shared });
  const weather = new Weather({ ...config.weather, breakers, caches, settings: config.breakers.weather_api });
  const warmUp = new WarmUp();
  warmUp.add("weather", (city) => weather.current(city, PLAIN_CALL));
  const health = new Health(config);
  health.add(guarded(weather.breaker, { hasFallback: true }));
  if (redis !== undefined) health.add(redisHealth(redis));
  if (shared !== undefined) health.add(guarded(shared.breaker, { hasFallback: true }));
  const outbound = new HttpClient({ ...config.outbound, breakers, health, settings: config.breakers.upstream });
  const pools = new Map(
    config.outbound.pools.map((pool) => [pool.name, new Pool(pool, outbound, config.breakers.upstream)]),
  );
  const weights = new SharedWeights({
    redis,
    group: `${config.color}:${config.version}`,
    apply: ({ pool, endpoint, weight }) => pools.get(pool)?.setWeight(endpoint, weight),
  });
  const computations = new Bulkhead({ name: "computations", ...COMPUTATIONS });
  const limiter = new RateLimiter({ name: "rate_limited_operation", ...config.rateLimit });
  const endSharing = redis && shareRateLimit(limiter, redis);
  const stored = createStore({ config, breakers, redis, logger });
  health.add(stored.dependency);
  return {
    breakers,
    /** Latest transitions of the breakers. */
    history,
    caches,
    /** Fills the caches before the pod is ready. */
    warmUp,
    weather,
    /** Calls to URLs that clients give. */
    outbound,
    /** Pools of equivalent endpoints, by name. */
    pools,
    /** Weights of their endpoints that operators have set. */
    weights,
    /** Runs one computation at a time; others queue. */
    computations,
    /** Rate limit of each client. */
    limiter,
    /** Accepts writes also while the database is down. */
    store: stored.store,
    health,
    metrics: [
      ...policyMetrics({
        limiters: () => [limiter],
        bulkheads: () => [computations.stats, ...outbound.upstreams.listed.map(({ bulkhead }) => bulkhead.stats)],
        budgets: () => [
          ["weather_api", weather.budget],
          ...outbound.upstreams.listed.map(({ breaker, budget }) => [breaker.name, budget] as const),
        ],
        pools: () => pools.values(),
      }),
      ...cacheMetrics(caches),
      ...sharedBreakerMetrics(sharedBreakers),
      ...stored.metrics,
    ],
    /** Absent if it is not configured. */
    redis,
    /** Ends background work. To be called after the last call. */
    async close() {
      outbound.close();
      endSharing?.();
      weights.close();
      await sharedBreakers?.close();
      await stored.close();
      await redis?.close();
    },
  };
}
