import { environment } from "../../../environment/environment.ts";
import local from "../../../environments/local.ts";

/** A server in Go, in a namespace with other servers, behind a host name with TLS. Another controller makes its Secret. */
export default environment({
  name: "home",
  namespace: "mcp",
  createNamespace: false,
  server: {
    sessions: "none",
    probes: { readiness: { type: "http", path: "/" }, liveness: { type: "http", path: "/" } },
  },
  app: {
    name: "github-mcp",
    image: "ghcr.io/github/github-mcp-server:v0.24.1",
    imagePolicy: "any",
    settings: { GITHUB_TOOLSETS: "context,repos,issues,pull_requests" },
    settingsFrom: { GITHUB_PERSONAL_ACCESS_TOKEN: { secret: "github-mcp", key: "token" } },
  },
  scaling: { replicas: 1 },
  ingress: { class: "traefik", host: "github-mcp.example.com", tlsSecret: "github-mcp-tls" },
  release: local.release,
});
