import { environment } from "mcp-bluegreen";

export default environment({
  name: "production",
  namespace: "search",
  app: { name: "search", image: `registry.example.com/search:1.0.0@sha256:${"0".repeat(64)}` },
  server: { port: 8000, sessions: "none", args: ["serve"] },
  scaling: { minReplicas: 2, maxReplicas: 10, cpuPercent: 70 },
  release: {
    target: "kubernetes",
    stageTimeoutSeconds: 300,
    metrics: { calls: 1000, concurrency: 4, maxErrorRatio: 0.01, maxP95Ms: 500 },
    bake: { durationSeconds: 300, intervalSeconds: 5, maxErrorRatio: 0.01, maxP95Ms: 500, holdTimeoutSeconds: 300 },
  },
});
