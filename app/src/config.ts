import { z } from "zod";
import { VERSION } from "./version.ts";

const UNITS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const;

const duration = z
  .string()
  .regex(/^\d+(ms|s|m|h)$/, "must be a whole number and a unit: '500ms', '60s', '5m' or '1h'")
  .transform((text) => {
    const unit = /ms|s|m|h/.exec(text)?.[0] as keyof typeof UNITS;
    return Number.parseInt(text, 10) * UNITS[unit];
  });

const wholeNumber = (least: number, most: number) =>
  z
    .string()
    .regex(/^\d+$/, "must be a whole number")
    .transform(Number)
    .refine((value) => value >= least && value <= most, `must be between ${least} and ${most}`);

const port = wholeNumber(0, 65_535);
const count = wholeNumber(1, 1_000_000);
const url = z.url({ protocol: /^https?$/, error: "must be an http or https URL" });

const hostNames = z.string().transform((list) =>
  list
    .split(",")
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== ""),
);

/**
 * Every environment variable the app reads: what it is for, and its default. docs/configuration.md shows this table, and a
 * test holds the two together.
 */
export const variables = z.object({
  MCP_PORT: port.prefault("8080").describe("Port of the MCP endpoint, `POST /mcp`. `0` takes any free one."),
  ADMIN_PORT: port
    .prefault("9090")
    .describe("Port of `/livez`, `/readyz`, `/health` and `/metrics`. `0` takes any free one."),
  HOST: z.string().prefault("0.0.0.0").describe("Address that both ports listen on."),
  APP_COLOR: z
    .enum(["blue", "green", "none"], { error: "must be 'blue', 'green' or 'none'" })
    .prefault("none")
    .describe("The color this pod belongs to."),
  ALLOWED_HOSTS: hostNames
    .prefault("localhost,127.0.0.1,[::1]")
    .describe("Host names, without port, that requests may be addressed to; others get 403."),
  ALLOWED_ORIGINS: hostNames
    .prefault("")
    .describe(
      "Host names of web pages that may call from a browser; others get 403. Clients that are no browser send none.",
    ),
  LOG_LEVEL: z
    .enum(["trace", "debug", "info", "warn", "error", "silent"], {
      error: "must be 'trace', 'debug', 'info', 'warn', 'error' or 'silent'",
    })
    .prefault("info")
    .describe("Least level that is logged; `debug` logs every refused request."),
  WEATHER_GEOCODING_URL: url
    .prefault("https://geocoding-api.open-meteo.com/v1/search")
    .describe("Where cities are looked up, in Open-Meteo's format."),
  WEATHER_FORECAST_URL: url
    .prefault("https://api.open-meteo.com/v1/forecast")
    .describe("Where the current weather is asked for, in Open-Meteo's format."),
  WEATHER_CACHE_TTL: duration
    .prefault("1h")
    .describe("How old the last answer for a city may be and still stand in while the weather API fails."),
  CB_FAILURE_THRESHOLD: count.prefault("5").describe("Failures in a row after which a circuit breaker opens."),
  CB_RECOVERY_TIMEOUT: duration
    .prefault("60s")
    .describe(
      "How long an open breaker rejects before it lets a probe through; up to twice that after one has failed.",
    ),
  CB_HALF_OPEN_LIMIT: count.prefault("1").describe("Probes that may be under way at the same time while half-open."),
  CB_SUCCESS_THRESHOLD: count.prefault("1").describe("Probes in a row that must succeed before the breaker closes."),
  CB_TIMEOUT: duration.prefault("15s").describe("How long one guarded call may take; longer counts as a failure."),
  DRAIN_DELAY: duration
    .prefault("0ms")
    .describe(
      "Time between losing readiness and refusing new connections. In a cluster the preStop hook waits instead.",
    ),
  DRAIN_TIMEOUT: duration
    .prefault("20s")
    .describe("How long a drain waits for calls and kept connections before it cuts them off and exits with 1."),
  KEEP_ALIVE_TIMEOUT: duration
    .prefault("5s")
    .describe(
      "How long clients may reuse an idle connection, announced in `Keep-Alive`. A drain closes none that was idle for less.",
    ),
  CONNECTION_MAX_AGE: duration
    .prefault("5m")
    .describe(
      "Age, give or take 10 %, at which a connection is closed with its next response, so that clients spread.",
    ),
  MAX_BODY_BYTES: wholeNumber(1024, 64 * 1024 * 1024)
    .prefault("1048576")
    .describe("Largest request body; a larger one gets 413."),
  REQUEST_STATE_KEY: z
    .string()
    .refine((key) => Buffer.byteLength(key) >= 32, "must be at least 32 bytes long")
    .optional()
    .describe(
      "Key that signs the state which clients carry between rounds of a call; the same for all pods. **Secret.**",
    ),
});

/** All settings of one pod. Durations are milliseconds. */
export interface Config {
  readonly version: string;
  readonly color: "blue" | "green" | "none";
  readonly host: string;
  readonly mcpPort: number;
  readonly adminPort: number;
  readonly allowedHosts: readonly string[];
  readonly allowedOrigins: readonly string[];
  readonly logLevel: string;
  readonly weather: {
    readonly geocodingUrl: string;
    readonly forecastUrl: string;
    readonly cacheTtl: number;
  };
  readonly breaker: {
    readonly failureThreshold: number;
    readonly recoveryTimeout: number;
    readonly halfOpenLimit: number;
    readonly successThreshold: number;
    readonly timeout: number;
  };
  readonly drainDelay: number;
  readonly drainTimeout: number;
  readonly keepAliveTimeout: number;
  readonly connectionMaxAge: number;
  readonly maxBodyBytes: number;
  /** Absent: this process makes up its own, and state it signed means nothing to other pods. */
  readonly requestStateKey?: string;
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
    version: VERSION,
    color: values.APP_COLOR,
    host: values.HOST,
    mcpPort: values.MCP_PORT,
    adminPort: values.ADMIN_PORT,
    allowedHosts: values.ALLOWED_HOSTS,
    allowedOrigins: values.ALLOWED_ORIGINS,
    logLevel: values.LOG_LEVEL,
    weather: {
      geocodingUrl: values.WEATHER_GEOCODING_URL,
      forecastUrl: values.WEATHER_FORECAST_URL,
      cacheTtl: values.WEATHER_CACHE_TTL,
    },
    breaker: {
      failureThreshold: values.CB_FAILURE_THRESHOLD,
      recoveryTimeout: values.CB_RECOVERY_TIMEOUT,
      halfOpenLimit: values.CB_HALF_OPEN_LIMIT,
      successThreshold: values.CB_SUCCESS_THRESHOLD,
      timeout: values.CB_TIMEOUT,
    },
    drainDelay: values.DRAIN_DELAY,
    drainTimeout: values.DRAIN_TIMEOUT,
    keepAliveTimeout: values.KEEP_ALIVE_TIMEOUT,
    connectionMaxAge: values.CONNECTION_MAX_AGE,
    maxBodyBytes: values.MAX_BODY_BYTES,
    ...(values.REQUEST_STATE_KEY === undefined ? {} : { requestStateKey: values.REQUEST_STATE_KEY }),
  };
}

/** Names the value that was found, except where it is a secret. */
function describeProblem(name: string, problem: string, values: Readonly<Record<string, string | undefined>>): string {
  return name === "REQUEST_STATE_KEY" ? `${name} ${problem}` : `${name} ${problem}, not '${values[name] ?? ""}'`;
}
