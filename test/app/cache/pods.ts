import { z } from "zod";
import type { CacheOptions } from "../../../app/src/cache/cache-options.ts";
import { Cache } from "../../../app/src/cache/cache.ts";
import { SharedTier, type Sharing } from "../../../app/src/cache/shared-tier.ts";
import { Breaker } from "../../../app/src/resilience/breaker.ts";
import { RedisConnection } from "../../../app/src/redis/connection.ts";

export const thing = z.object({ name: z.string(), text: z.string().optional() });
export type Thing = z.output<typeof thing>;

export interface PodOptions extends Partial<CacheOptions>, Partial<Pick<Sharing<Thing>, "version">> {
  readonly url: string;
  readonly cluster?: boolean;
  /** Milliseconds that Redis may take. @default - longer than it does on a busy machine */
  readonly timeout?: number;
  /** Milliseconds that calls wait for Redis. @default - as long */
  readonly wait?: number;
}

/** A cache with a connection of its own, as another pod would have it. */
export interface Pod {
  readonly cache: Cache<Thing>;
  readonly tier: SharedTier<Thing>;
  readonly redis: RedisConnection;
  readonly breaker: Breaker;
  close(): Promise<void>;
}

/** Resolves once it has Redis. */
export async function startPod({
  url,
  cluster = false,
  timeout = 2000,
  version = 1,
  wait = 5000,
  ...options
}: PodOptions): Promise<Pod> {
  const redis = new RedisConnection({ url, cluster, timeout, prefix: "mcp" });
  const breaker = new Breaker({ name: "cache", failureThreshold: 2, recoveryTimeout: 200 });
  const { staleWhileRevalidate = 0, staleIfError = 0 } = options;
  const staleFor = Math.max(staleWhileRevalidate, staleIfError);
  const tier = new SharedTier({ redis, breaker, name: "things", schema: thing, version, timeout: wait, staleFor });
  const cache = new Cache<Thing>({ name: "things", ttl: 60_000, ...options }, tier);
  await up(redis);
  return {
    cache,
    tier,
    redis,
    breaker,
    close: () => redis.close(),
  };
}

/** Resolves when Redis is available. */
export function up(redis: RedisConnection): Promise<void> {
  if (redis.available) return Promise.resolve();
  return new Promise((resolve) => {
    const leave = redis.events.on(({ type }) => {
      if (type !== "up") return;
      leave();
      resolve();
    });
  });
}

/** Resolves once something holds: for what is told by nothing but itself. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 5));
}
