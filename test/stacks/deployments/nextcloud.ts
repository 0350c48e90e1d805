import { environment } from "../../../environment/environment.ts";
import local from "../../../environments/local.ts";

/** A FastMCP server in Python that writes to a volume which one node may mount. */
export default environment({
  name: "nextcloud",
  namespace: "mcp-nextcloud",
  server: {
    port: 8000,
    args: ["--transport", "streamable-http"],
    ports: { metrics: 9090 },
    sessions: "memory",
    probes: {
      readiness: { type: "http", path: "/health/ready" },
      liveness: { type: "http", path: "/health/live" },
    },
    metrics: { port: "metrics", histogram: "mcp_request_duration_seconds" },
  },
  app: {
    name: "nextcloud-mcp",
    image: "ghcr.io/cbcoutinho/nextcloud-mcp-server:0.50.0",
    imagePolicy: "any",
    settings: { NEXTCLOUD_HOST: "https://cloud.example.com" },
    settingsFrom: {
      NEXTCLOUD_USERNAME: { secret: "nextcloud", key: "username" },
      NEXTCLOUD_PASSWORD: { secret: "nextcloud", key: "password" },
    },
    resources: { requests: { cpu: "100m", memory: "128Mi" }, limits: { cpu: "1", memory: "512Mi" } },
  },
  pod: { security: { user: 1000, fsGroup: 2000 }, strategy: { type: "Recreate" } },
  scaling: { replicas: 1 },
  volumes: { data: { type: "claim", path: "/app/data", size: "100Mi", accessMode: "ReadWriteOnce" } },
  release: local.release,
});
