import { environment } from "../../../environment/environment.ts";
import local from "../../../environments/local.ts";

/** A gateway in Python with Postgres and Redis, some 200 settings in a ConfigMap and a Secret, and slow starts. */
export default environment({
  name: "gateway",
  namespace: "mcp-gateway",
  server: {
    port: 4444,
    sessions: "none",
    ports: { metrics: 8000 },
    probes: {
      startupSeconds: 300,
      startup: { type: "exec", command: ["python3", "/app/ready.py"], periodSeconds: 10, timeoutSeconds: 5 },
      readiness: { type: "http", path: "/ready", initialDelaySeconds: 15, periodSeconds: 10, timeoutSeconds: 5 },
      liveness: { type: "http", path: "/health", initialDelaySeconds: 60, periodSeconds: 15, timeoutSeconds: 5 },
    },
    metrics: { port: "metrics", histogram: "http_request_duration_seconds" },
  },
  app: {
    name: "gateway",
    image: "ghcr.io/ibm/mcp-context-forge:1.0.0",
    imagePolicy: "any",
    settings: {
      DATABASE_URL: "postgresql+psycopg://$(POSTGRES_USER):$(POSTGRES_PASSWORD)@postgres:5432/mcp",
      REDIS_URL: "redis://redis:6379/0",
    },
    settingsFrom: {
      POSTGRES_USER: { secret: "postgres", key: "user" },
      POSTGRES_PASSWORD: { secret: "postgres", key: "password" },
    },
    envFrom: [{ configMap: "gateway" }, { secret: "gateway" }],
    files: [{ path: "/app/catalog.yml", configMap: "gateway-catalog", key: "catalog.yml" }],
    resources: { requests: { cpu: "500m", memory: "768Mi" }, limits: { cpu: "2", memory: "2Gi" } },
  },
  pod: {
    security: { user: 10001 },
    pullPolicy: "Always",
    affinity: { apart: [{ weight: 100 }] },
  },
  scaling: { minReplicas: 2, maxReplicas: 20, cpuPercent: 90, memoryPercent: 90 },
  network: { egress: [{ port: 5432 }, { port: 6379 }] },
  release: local.release,
});
