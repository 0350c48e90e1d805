import { z } from "zod";
import { authConfig, authVariables } from "./config/auth.ts";
import { breakersConfig, breakerVariables } from "./config/breakers.ts";
import { cacheConfig, cacheVariables } from "./config/cache.ts";
import { InvalidConfig } from "./config/invalid-config.ts";
import { outboundConfig, outboundVariables, rateLimitConfig } from "./config/outbound.ts";
import { redisConfig, redisVariables } from "./config/redis.ts";
import { serverConfig, serverVariables } from "./config/server.ts";
import { storeConfig, storeVariables } from "./config/store.ts";
import { telemetryVariables, tracingConfig } from "./config/telemetry.ts";
import { toolsVariables } from "./config/tools.ts";
import { weatherConfig, weatherVariables } from "./config/weather.ts";

/** Every environment variable. A test compares docs/configuration.md with this table. */
export const variables = z.object({
  ...serverVariables,
  ...authVariables,
  ...toolsVariables,
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

/**
 * Reads the settings from environment variables. An empty variable counts as absent, because
 * templates write those.
 *
 * @throws InvalidConfig with all problems, one on each line
 */
export function readConfig(environment: Readonly<Record<string, string | undefined>>) {
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
    bundledTools: values.TOOLS,
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

/** All settings of one pod. Durations are milliseconds. */
export type Config = ReturnType<typeof readConfig>;

/** Contains the value, except for secrets and passwords in URLs. */
function describeProblem(name: string, problem: string, values: Readonly<Record<string, string | undefined>>): string {
  const shown = (values[name] ?? "").replace(/\/\/[^/]*@/, "//…@");
  return SECRETS.has(name) ? `${name} ${problem}` : `${name} ${problem}, not '${shown}'`;
}
