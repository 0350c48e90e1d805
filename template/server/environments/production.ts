import { environment } from "mcp-bluegreen";
import { server } from "../server.ts";

/** Your cluster. To be replaced before the first deploy: the context, the image with its digest, and the host. */
export default environment({
  name: "production",
  namespace: "__name__",
  context: "production",
  server,
  app: {
    name: "__name__",
    image: `registry.example.com/__name__:1.0.0@sha256:${"0".repeat(64)}`,
    allowedHosts: ["__name__.example.com"],
  },
  scaling: { minReplicas: 2, maxReplicas: 10, cpuPercent: 70 },
  release: {
    target: "kubernetes",
    stageTimeoutSeconds: 300,
    metrics: { calls: 500, concurrency: 4, maxErrorRatio: 0.01, maxP95Ms: 500 },
    bake: { durationSeconds: 300, intervalSeconds: 5, maxErrorRatio: 0.01, maxP95Ms: 500, holdTimeoutSeconds: 300 },
  },
});
