import { toolsProblems } from "./bundled-tools.ts";
import type { ServerInput, SettingsCheck } from "./schema/server.ts";

const PAUSE_SECONDS = 5;

/** These tell the app who may call. Without them no pod would start. */
const WHO_MAY_CALL = ["AUTH_ISSUER", "AUTH_AUDIENCE", "AUTH_JWKS_URL"];

const whoMayCall: SettingsCheck = (settings, referenced) => {
  const missing = WHO_MAY_CALL.filter((setting) => !(setting in settings) && !referenced.includes(setting));
  if (settings.AUTH_MODE === "off" || missing.length === 0) return [];
  return [`must say who may call: ${missing.join(", ")}, or AUTH_MODE 'off' for anybody who reaches the port`];
};

/** The description of the bundled app, which an environment without `server` deploys. See docs/app.md. */
export const bundledServer = () =>
  ({
    port: 8080,
    path: "/mcp",
    protocolVersions: ["2025-11-25", "2026-07-28"],
    ports: { admin: 9090 },
    servicePort: 80,
    variables: {
      port: "MCP_PORT",
      ports: { admin: "ADMIN_PORT" },
      color: "APP_COLOR",
      allowedHosts: "ALLOWED_HOSTS",
      allowedOrigins: "ALLOWED_ORIGINS",
      requestStateKey: "REQUEST_STATE_KEY",
      redisUrl: "REDIS_URL",
      redisCluster: "REDIS_CLUSTER",
      redisPrefix: "REDIS_PREFIX",
      dataDir: "DATA_DIR",
      dataDurability: "DATA_DURABILITY",
    },
    asks: ["OTEL_EXPORTER_OTLP_ENDPOINT", "AUTH_JWKS_URL", "OUTBOUND_ALLOW", "OUTBOUND_POOLS"],
    reserved: {
      OTEL_EXPORTER_OTLP_HEADERS: "it may hold a secret; send traces to a collector in the cluster, which adds it",
    },
    authorizationOff: { AUTH_MODE: "off" },
    checkSettings: (settings, referenced) => [
      ...whoMayCall(settings, referenced),
      ...toolsProblems(settings.TOOLS ?? ""),
    ],
    probes: {
      startupSeconds: 30,
      readiness: { type: "http", port: "admin", path: "/readyz" },
      liveness: { type: "http", port: "admin", path: "/livez" },
    },
    sessions: "none",
    connections: "maxAge",
    stop: {
      pause: "own",
      pauseSeconds: PAUSE_SECONDS,
      // The image has Node, and no shell and no `sleep`: see docs/decisions/pre-stop-sleep.md.
      command: ["/proc/1/exe", "--eval", `setTimeout(() => {}, ${PAUSE_SECONDS * 1000})`],
      // The app's own defaults, said here so that the grace period is known to hold them.
      durations: { DRAIN_DELAY: "0s", DRAIN_TIMEOUT: "20s" },
    },
    writableTmp: false,
    health: { port: "admin", path: "/health" },
    version: { port: "admin", path: "/health" },
    metrics: {
      port: "admin",
      path: "/metrics",
      histogram: "mcp_server_operation_duration_seconds",
      methodLabel: "mcp_method_name",
      errorLabel: "error_type",
    },
  }) satisfies ServerInput;
