import { environment } from "../../environment/environment.ts";

/**
 * A FastMCP server from PyPI, released unchanged: everything that a release needs of it is
 * described here.
 */
export default environment({
  name: "lengths",
  namespace: "lengths",
  server: {
    port: 8000,
    path: "/mcp",
    protocolVersions: ["2025-11-25", "2026-07-28"],
    command: ["python3", "server.py"],
    variables: { port: "FASTMCP_PORT" },
    // FASTMCP_STATELESS_HTTP below. With sessions in memory, a second pod would answer them with
    // 404.
    sessions: "none",
    // uvicorn ends no connection by age, so clients come through an Ingress, which chooses a color
    // for each request.
    connections: "kept",
    // It takes connections once it has loaded; a GET of its MCP endpoint would be answered with
    // 406.
    probes: { startupSeconds: 60, readiness: { type: "tcp" } },
  },
  app: {
    name: "lengths",
    image: "localhost/lengths:1.0.0",
    imagePolicy: "any",
    settings: { FASTMCP_STATELESS_HTTP: "true", FASTMCP_HOST: "0.0.0.0", PYTHONUNBUFFERED: "1" },
  },
  pod: { security: { user: 65532 } },
  scaling: { replicas: 2 },
  ingress: { class: "traefik", host: "lengths.example.com" },
  release: {
    target: "kubernetes",
    stageTimeoutSeconds: 120,
    smoke: {
      tool: "to_feet",
      arguments: { meters: 100 },
      expect: { properties: { feet: { const: 328.084 } }, required: ["feet"] },
    },
    metrics: { calls: 600, concurrency: 4, maxErrorRatio: 0.02, maxP95Ms: 500 },
    bake: { durationSeconds: 60, intervalSeconds: 5, maxErrorRatio: 0.02, maxP95Ms: 500, holdTimeoutSeconds: 300 },
  },
});
