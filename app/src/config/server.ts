import { z } from "zod";
import { VERSION } from "../version.ts";
import { InvalidConfig } from "./invalid-config.ts";
import { count, duration, hostNames, port, wholeNumber } from "./kinds.ts";

export const serverVariables = {
  MCP_PORT: port.prefault("8080").describe("Port of the MCP endpoint, `POST /mcp`. `0` takes any free one."),
  ADMIN_PORT: port
    .prefault("9090")
    .describe(
      "Port of `/livez`, `/readyz`, `/health`, `/metrics` and `/metrics/circuit_breaker`. `0` takes any free one.",
    ),
  HOST: z.string().prefault("0.0.0.0").describe("Address that both ports listen on."),
  APP_COLOR: z
    .enum(["blue", "green", "none"], { error: "must be 'blue', 'green' or 'none'" })
    .prefault("none")
    .describe("Color of this pod."),
  ALLOWED_HOSTS: hostNames
    .prefault("localhost,127.0.0.1,[::1]")
    .describe("Host names, without port, in the URLs of clients; other requests get 403."),
  ALLOWED_ORIGINS: hostNames
    .prefault("")
    .describe(
      "Host names of web pages that may send requests; others get 403. The app sends no CORS headers: pages of another origin need a proxy that adds them.",
    ),
  LOG_LEVEL: z
    .enum(["trace", "debug", "info", "warn", "error", "silent"], {
      error: "must be 'trace', 'debug', 'info', 'warn', 'error' or 'silent'",
    })
    .prefault("info")
    .describe("Lowest level of log entries; `debug` logs every refused request."),
  DRAIN_DELAY: duration("0s", "10m")
    .prefault("0ms")
    .describe(
      "Time between losing readiness and refusing new connections. In a cluster the preStop hook waits instead.",
    ),
  DRAIN_TIMEOUT: duration("0s", "1h")
    .prefault("20s")
    .describe("Time limit of a drain for calls and keep-alive connections; then it cuts them off and exits with 1."),
  KEEP_ALIVE_TIMEOUT: duration("0s", "60s")
    .prefault("5s")
    .describe(
      "Time for which clients may reuse an idle connection, announced in `Keep-Alive`. A drain closes none that was idle for less.",
    ),
  CONNECTION_MAX_AGE: duration("0s", "168h")
    .prefault("5m")
    .describe("Age, ± 10 %, at which a connection is closed with its next response, so that clients spread over pods."),
  MAX_CONNECTIONS: count
    .prefault("2000")
    .describe(
      "Open connections, at about 20 kB each. Beyond the limit, one that is idle, or waits for a slow client, makes room for a new one, or the new one is closed.",
    ),
  MAX_BODY_BYTES: wholeNumber(1024, 64 * 1024 * 1024)
    .prefault("1048576")
    .describe("Largest request body; a larger one gets 413."),
  MAX_TOTAL_BODY_BYTES: wholeNumber(1024, 1024 ** 3)
    .prefault("8388608")
    .describe(
      "Bytes of all request bodies in memory, each until its call is answered; a request beyond them gets 503 and `Retry-After`.",
    ),
  ADMISSION_TIME: duration("0s", "1s")
    .prefault("25ms")
    .describe(
      "Processor time for new calls in one turn of the event loop; a call beyond it gets 503 and `Retry-After`. `0s`: no limit.",
    ),
  REQUEST_STATE_KEY: z
    .string()
    .refine((key) => Buffer.byteLength(key) >= 32, "must be at least 32 bytes long")
    .optional()
    .describe("Key for the state that clients carry between rounds of a call; the same for all pods. **Secret.**"),
};

type Values = z.output<z.ZodObject<typeof serverVariables>>;

/** @throws InvalidConfig when one body of the allowed size exceeds the limit for all */
export function serverConfig(values: Values) {
  if (values.MAX_TOTAL_BODY_BYTES < values.MAX_BODY_BYTES) {
    throw new InvalidConfig([
      `MAX_TOTAL_BODY_BYTES (${values.MAX_TOTAL_BODY_BYTES}) must be at least MAX_BODY_BYTES (${values.MAX_BODY_BYTES})`,
    ]);
  }
  return {
    version: VERSION,
    color: values.APP_COLOR,
    host: values.HOST,
    mcpPort: values.MCP_PORT,
    adminPort: values.ADMIN_PORT,
    allowedHosts: values.ALLOWED_HOSTS,
    allowedOrigins: values.ALLOWED_ORIGINS,
    logLevel: values.LOG_LEVEL,
    drainDelay: values.DRAIN_DELAY,
    drainTimeout: values.DRAIN_TIMEOUT,
    keepAliveTimeout: values.KEEP_ALIVE_TIMEOUT,
    connectionMaxAge: values.CONNECTION_MAX_AGE,
    maxConnections: values.MAX_CONNECTIONS,
    maxBodyBytes: values.MAX_BODY_BYTES,
    maxTotalBodyBytes: values.MAX_TOTAL_BODY_BYTES,
    admissionTime: values.ADMISSION_TIME,
    // Without it, this process makes up a key, and other pods cannot read the state that it signs.
    ...(values.REQUEST_STATE_KEY === undefined ? {} : { requestStateKey: values.REQUEST_STATE_KEY }),
  };
}
