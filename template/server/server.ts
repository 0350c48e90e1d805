import type { ServerInput } from "mcp-bluegreen";

/** What `mcp-bluegreen` has to know of the server. Each field that is left out has a default. */
export const server: ServerInput = {
  command: __command__,
  port: 8080,
  // The variable that tells the server its port. Another way: `{port}` in the command.
  variables: { port: "PORT" },
  // 'memory' if it keeps sessions, as many SDKs do by default. FastMCP has none with FASTMCP_STATELESS_HTTP=true.
  sessions: "none",
  // An HTTP path tells more than the default, a connection to the port:
  // probes: { readiness: { type: "http", path: "/health" }, liveness: { type: "http", path: "/health" } },
};
