import { z } from "zod";
import { environment } from "../environment/environment.ts";

/**
 * Your own machine: processes behind a router, or a cluster for trying things out. Anyone who reaches the server may call it,
 * so it is inside the cluster only, and a deploy needs the name of the cluster's context: `--context kind-kind`.
 */
export default environment({
  name: "local",
  namespace: "mcp-local",
  app: {
    // `kind load docker-image` brings it to the nodes; so does a registry, under another name.
    image: "localhost/mcp-app:1.0.0",
    imagePolicy: "any",
    // Clients that keep their connection open follow a release when it ends; a bake that saw none of them would hold for want of data.
    // A machine without a way to the weather API gets its fallback soon.
    // For trying things out: whoever reaches the port may call.
    settings: { AUTH_MODE: "off", LOG_LEVEL: "info", CONNECTION_MAX_AGE: "20s", CB_TIMEOUT: "3s" },
    allowedHosts: ["localhost", "127.0.0.1"],
  },
  scaling: { minReplicas: 2, maxReplicas: 4, requestsPerPod: 50, latencyObjectiveMs: 250 },
  release: {
    target: "local",
    stageTimeoutSeconds: 60,
    smoke: {
      tool: "get_weather_with_fallback",
      arguments: { city: "Berlin" },
      expect: z.object({
        city: z.literal("Berlin"),
        temperatureCelsius: z.number().min(-60).max(60),
        source: z.enum(["live", "cached", "static"]),
      }),
    },
    metrics: { calls: 1000, concurrency: 4, maxErrorRatio: 0.01, maxP95Ms: 300 },
    bake: {
      durationSeconds: 30,
      intervalSeconds: 1,
      maxErrorRatio: 0.01,
      maxP95Ms: 300,
      holdTimeoutSeconds: 120,
    },
  },
});
