import { environment } from "mcp-bluegreen";

/**
 * Your cluster. To be replaced before the first deploy: the context, the image with its digest, the host and the
 * authorization server.
 */
export default environment({
  name: "production",
  namespace: "__name__",
  context: "production",
  app: {
    name: "__name__",
    image: `registry.example.com/__name__:1.0.0@sha256:${"0".repeat(64)}`,
    settings: {
      AUTH_ISSUER: "https://login.example.com",
      AUTH_JWKS_URL: "https://login.example.com/.well-known/jwks.json",
      AUTH_AUDIENCE: "https://__name__.example.com/mcp",
    },
    allowedHosts: ["__name__.example.com"],
  },
  scaling: { minReplicas: 2, maxReplicas: 10, cpuPercent: 70 },
  release: {
    target: "kubernetes",
    stageTimeoutSeconds: 300,
    smoke: {
      tool: "word_count",
      arguments: { text: "one two three" },
      expect: { type: "object", properties: { words: { const: 3 } }, required: ["words"] },
    },
    metrics: { calls: 1000, concurrency: 4, maxErrorRatio: 0.01, maxP95Ms: 300 },
    bake: { durationSeconds: 300, intervalSeconds: 5, maxErrorRatio: 0.01, maxP95Ms: 300, holdTimeoutSeconds: 300 },
  },
});
