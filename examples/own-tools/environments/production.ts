import { bundledServer, environment } from "mcp-bluegreen";

export default environment({
  name: "production",
  namespace: "notes",
  // The Secret of the database has to be in it before the first pod.
  createNamespace: false,
  // The bundled app, which also connects to the address in DATABASE_URL: the network policy opens its port.
  server: { ...bundledServer(), asks: [...bundledServer().asks, "DATABASE_URL"] },
  app: {
    name: "notes",
    image: `registry.example.com/notes:1.0.0@sha256:${"0".repeat(64)}`,
    settings: {
      AUTH_ISSUER: "https://login.example.com",
      AUTH_JWKS_URL: "https://login.example.com/.well-known/jwks.json",
      AUTH_AUDIENCE: "https://notes.example.com/mcp",
      DATABASE_URL: "redis://notes-database:6379",
    },
    // The Secret is made beforehand; its value is in no file, no plan and no state.
    settingsFrom: { DATABASE_PASSWORD: { secret: "notes-database", key: "password" } },
    allowedHosts: ["notes.example.com"],
  },
  scaling: { minReplicas: 2, maxReplicas: 10, cpuPercent: 70 },
  release: {
    target: "kubernetes",
    stageTimeoutSeconds: 300,
    smoke: {
      tool: "add_note",
      arguments: { note: "release" },
      expect: { type: "object", properties: { notes: { type: "integer", minimum: 1 } }, required: ["notes"] },
    },
    metrics: { calls: 1000, concurrency: 4, maxErrorRatio: 0.01, maxP95Ms: 500 },
    bake: { durationSeconds: 300, intervalSeconds: 5, maxErrorRatio: 0.01, maxP95Ms: 500, holdTimeoutSeconds: 300 },
  },
});
