import { environment } from "../../../environment/environment.ts";
import local from "../../../environments/local.ts";

const VARIABLES = ["HOST", "LOG_LEVEL", "NAME", "TRANSPORT", "STATELESS", "CORS_ORIGINS", "VERSION"];

/** A FastMCP server in Python whose MCP endpoint is its only page; clients come through an Ingress alone. */
export default environment({
  name: "template",
  namespace: "mcp-template",
  server: {
    port: 3000,
    path: "/mcp/",
    sessions: "none",
    variables: { port: "PORT" },
    probes: {
      readiness: { type: "http", path: "/mcp/", headers: { Accept: "text/event-stream" } },
      liveness: { type: "http", path: "/mcp/", headers: { Accept: "text/event-stream" } },
    },
  },
  app: {
    name: "template",
    image: "registry.example.com/mcp-http-template:1.0.0",
    imagePolicy: "any",
    settingsFrom: Object.fromEntries(VARIABLES.map((key) => [key, { configMap: "template", key }])),
    resources: { requests: { cpu: "100m", memory: "128Mi" }, limits: { cpu: "500m", memory: "512Mi" } },
  },
  pod: { security: { user: 1000 } },
  scaling: { minReplicas: 2, maxReplicas: 10, cpuPercent: 80, memoryPercent: 80 },
  ingress: {
    class: "nginx",
    host: "template.example.com",
    annotations: {
      "nginx.ingress.kubernetes.io/enable-cors": "true",
      "nginx.ingress.kubernetes.io/cors-allow-methods": "GET, POST, DELETE, OPTIONS",
    },
  },
  network: { clients: { namespaces: ["ingress-nginx"] } },
  release: local.release,
});
