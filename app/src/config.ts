import { z } from "zod";
import { authConfig, authVariables, type AuthConfig } from "./config/auth.ts";
import { breakersConfig, breakerVariables, type BreakersConfig } from "./config/breakers.ts";
import { cacheConfig, cacheVariables, type CacheConfig } from "./config/cache.ts";
import { InvalidConfig } from "./config/invalid-config.ts";
import {
  outboundConfig,
  outboundVariables,
  rateLimitConfig,
  type OutboundConfig,
  type RateLimitConfig,
} from "./config/outbound.ts";
import { redisConfig, redisVariables, type RedisConfig } from "./config/redis.ts";
import { serverConfig, serverVariables, type ServerConfig } from "./config/server.ts";
import { storeConfig, storeVariables, type StoreConfig } from "./config/store.ts";
import { telemetryVariables, tracingConfig, type TracingConfig } from "./config/telemetry.ts";
import { weatherConfig, weatherVariables, type WeatherConfig } from "./config/weather.ts";

/** Every environment variable. A test compares docs/configuration.md with this table. */
export const variables = z.object({
  ...serverVariables,
  ...authVariables,
  ...weatherVariables,
  ...breakerVariables,
  ...cacheVariables,
  ...outboundVariables,
  ...redisVariables,
  ...storeVariables,
  ...telemetryVariables,
});

/** Variables whose values must not appear in messages. */
const SECRETS: ReadonlySet<string> = new Set(["REQUEST_STATE_KEY", "REDIS_URL", "OTEL_EXPORTER_OTLP_HEADERS"]);

/** All settings of one pod. Durations are milliseconds. */
export interface Config extends ServerConfig {
  readonly auth: AuthConfig;
  readonly weather: WeatherConfig;
  readonly breakers: BreakersConfig;
  readonly cache: CacheConfig;
  readonly outbound: OutboundConfig;
  readonly rateLimit: RateLimitConfig;
  /** Absent: this pod shares no state. */
  readonly redis?: RedisConfig | undefined;
  /** Absent: records are kept in memory. */
  readonly store?: StoreConfig | undefined;
  /** Absent: no traces are kept. */
  readonly tracing?: TracingConfig | undefined;
}

/**
 * Reads the settings from environment variables. An empty variable counts as absent, because
 * templates write those.
 *
 * @throws InvalidConfig with all problems, one on each line
 */
export function readConfig(environment: Readonly<Record<string, string | undefined>>): Config {
  const present = Object.fromEntries(
    Object.keys(variables.shape)
      .filter((name) => environment[name] !== undefined && environment[name] !== "")
      .map((name) => [name, environment[name]]),
  );
  const result = variables.safeParse(present);
  if (!result.success) {
    throw new InvalidConfig(
      result.error.issues.map((issue) => describeProblem(String(issue.path[0]), issue.message, present)),
    );
  }

  const values = result.data;
  return {
    ...serverConfig(values),
    auth: authConfig(values),
    weather: weatherConfig(values),
    breakers: breakersConfig(values),
    cache: cacheConfig(values),
    outbound: outboundConfig(values),
    rateLimit: rateLimitConfig(values),
    redis: redisConfig(values),
    store: storeConfig(values),
    tracing: tracingConfig(values),
  };
}

/** Contains the value, except for secrets and passwords in URLs. */
function describeProblem(name: string, problem: string, values: Readonly<Record<string, string | undefined>>): string {
  const shown = (values[name] ?? "").replace(/\/\/[^/]*@/, "//…@");
  return SECRETS.has(name) ? `${name} ${problem}` : `${name} ${problem}, not '${shown}'`;
}
