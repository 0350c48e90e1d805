import { environment } from "mcp-bluegreen";

/** Your own machine: processes behind a router. */
export default environment({
  name: "local",
  namespace: "__name__",
  app: {
    name: "__name__",
    image: "localhost/__name__:1.0.0",
    // No registry has this image, and anybody who reaches the port of this machine may call.
    imagePolicy: "any",
    settings: { AUTH_MODE: "off" },
  },
  scaling: { replicas: 2 },
  release: {
    target: "local",
    stageTimeoutSeconds: 60,
    smoke: {
      tool: "word_count",
      arguments: { text: "one two three" },
      expect: { type: "object", properties: { words: { const: 3 } }, required: ["words"] },
    },
    metrics: { calls: 500, concurrency: 4, maxErrorRatio: 0.01, maxP95Ms: 300 },
    bake: { durationSeconds: 30, intervalSeconds: 1, maxErrorRatio: 0.01, maxP95Ms: 300, holdTimeoutSeconds: 120 },
  },
});
