import { z } from "zod";
import { breakersConfig, breakerVariables, type BreakersConfig } from "./config/breakers.ts";
import { redisConfig, redisVariables, type RedisConfig } from "./config/redis.ts";
import { serverConfig, serverVariables, type ServerConfig } from "./config/server.ts";
import { weatherConfig, weatherVariables, type WeatherConfig } from "./config/weather.ts";

/**
 * Every environment variable the app reads: what it is for, and its default. docs/configuration.md shows this table, and a
 * test holds the two together.
 */
export const variables = z.object({
  ...serverVariables,
  ...weatherVariables,
  ...breakerVariables,
  ...redisVariables,
});

/** Variables whose value no message may show. */
const SECRETS: ReadonlySet<string> = new Set(["REQUEST_STATE_KEY", "REDIS_URL"]);

/** All settings of one pod. Durations are milliseconds. */
export interface Config extends ServerConfig {
  readonly weather: WeatherConfig;
  readonly breakers: BreakersConfig;
  /** Absent: this pod shares nothing with others. */
  readonly redis?: RedisConfig | undefined;
}

/** Settings that do not hold. The message names each variable and what is wrong with it. */
export class InvalidConfig extends Error {
  override readonly name = "InvalidConfig";
}

/**
 * Reads the settings from environment variables. An empty variable counts as absent, since templates write those.
 *
 * @throws InvalidConfig with all that is wrong, a line each
 */
export function readConfig(environment: Readonly<Record<string, string | undefined>>): Config {
  const present = Object.fromEntries(
    Object.keys(variables.shape)
      .filter((name) => environment[name] !== undefined && environment[name] !== "")
      .map((name) => [name, environment[name]]),
  );
  const result = variables.safeParse(present);
  if (!result.success) {
    const problems = result.error.issues.map(
      (issue) => `  ${describeProblem(String(issue.path[0]), issue.message, present)}`,
    );
    throw new InvalidConfig(`the configuration is not valid:\n${problems.join("\n")}`);
  }

  const values = result.data;
  return {
    ...serverConfig(values),
    weather: weatherConfig(values),
    breakers: breakersConfig(values),
    redis: redisConfig(values),
  };
}

/** Names the value that was found, except where it is a secret. */
function describeProblem(name: string, problem: string, values: Readonly<Record<string, string | undefined>>): string {
  return SECRETS.has(name) ? `${name} ${problem}` : `${name} ${problem}, not '${values[name] ?? ""}'`;
}
