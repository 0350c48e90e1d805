import { environment } from "../../../environment/environment.ts";
import local from "../../../environments/local.ts";

const POSTGRES = { PGHOST: "host", PGPORT: "port", PGUSER: "user", PGPASSWORD: "password", PGDATABASE: "database" };

/** A server with the TypeScript SDK and Postgres, on nodes of its own, with long calls and a cloud's identity. */
export default environment({
  name: "memory",
  namespace: "mcp-memory",
  createNamespace: false,
  server: {
    port: 3001,
    args: ["node", "dist/index.js", "http"],
    sessions: "none",
    variables: { port: "PORT" },
    stop: { pause: "copied", graceSeconds: 900 },
  },
  app: {
    name: "memory",
    image: "registry.example.com/tiger-memory-mcp-server:1.2.0",
    imagePolicy: "any",
    settings: { OTEL_EXPORTER_OTLP_ENDPOINT: "http://tracing-collector:4317" },
    settingsFrom: {
      ...Object.fromEntries(Object.entries(POSTGRES).map(([name, key]) => [name, { secret: "memory-postgres", key }])),
      LOGFIRE_TOKEN: { secret: "memory-logs", key: "token" },
    },
    resources: { requests: { cpu: "250m", memory: "2Gi" } },
  },
  pod: {
    annotations: { "example.com/team": "memory" },
    nodeSelector: { "example.com/pool": "mcp" },
    tolerations: [{ key: "example.com/pool", value: "mcp", effect: "NoSchedule" }],
    affinity: { apart: [{ weight: 100 }] },
    serviceAccount: { existing: "memory" },
  },
  scaling: { replicas: 2 },
  network: { egress: [{ port: 5432 }] },
  release: local.release,
});
