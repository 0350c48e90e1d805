import { environment } from "mcp-bluegreen";
import { server } from "../server.ts";

/** Your own machine: processes behind a router. */
export default environment({
  name: "local",
  namespace: "__name__",
  server,
  // No registry has this image.
  app: { name: "__name__", image: "localhost/__name__:1.0.0", imagePolicy: "any" },
  scaling: { replicas: 2 },
  release: {
    target: "local",
    stageTimeoutSeconds: 60,
    metrics: { calls: 200, concurrency: 4, maxErrorRatio: 0.01, maxP95Ms: 500 },
    bake: { durationSeconds: 30, intervalSeconds: 1, maxErrorRatio: 0.01, maxP95Ms: 500, holdTimeoutSeconds: 120 },
  },
});
