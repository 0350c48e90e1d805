import { environment } from "../../../environment/environment.ts";
import local from "../../../environments/local.ts";

/** A server in Go with its metrics on the MCP port, which calls another service of the cluster. */
export default environment({
  name: "grafana",
  namespace: "mcp-grafana",
  server: {
    port: 8000,
    servicePort: 8000,
    sessions: "none",
    asks: ["GRAFANA_URL"],
    metrics: { histogram: "mcp_server_operation_duration_seconds" },
  },
  app: {
    name: "grafana-mcp",
    image: "docker.io/grafana/mcp-grafana:0.7.9",
    imagePolicy: "any",
    settings: { GRAFANA_URL: "http://grafana:3000" },
    settingsFrom: { GRAFANA_SERVICE_ACCOUNT_TOKEN: { secret: "grafana-mcp", key: "token" } },
  },
  pod: {
    security: { user: 1000, group: 1000, fsGroup: 1000 },
    strategy: { type: "RollingUpdate", maxSurge: "25%", maxUnavailable: "25%" },
  },
  scaling: { replicas: 1 },
  release: local.release,
});
