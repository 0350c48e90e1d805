import { z } from "zod";
import { environment } from "../environment/environment.ts";

/**
 * Where a release is tried before production. To be replaced before the first deploy: the image, the bucket and the
 * authorization server, which are examples that exist nowhere, the context, and the host names.
 */
export default environment({
  name: "staging",
  namespace: "mcp-staging",
  context: "staging",
  state: { backend: "s3", bucket: "example-terraform-state", region: "eu-central-1" },
  app: {
    image: `registry.example.com/mcp-app:1.0.0@sha256:${"0".repeat(64)}`,
    settings: {
      LOG_LEVEL: "info",
      // Well within the bake's patience: clients that keep their connection open follow a release when it ends.
      CONNECTION_MAX_AGE: "2m",
      AUTH_ISSUER: "https://login.staging.example.com",
      AUTH_JWKS_URL: "https://login.staging.example.com/.well-known/jwks.json",
      AUTH_AUDIENCE: "https://mcp.staging.example.com/mcp",
    },
    allowedHosts: ["mcp.staging.example.com"],
  },
  scaling: { minReplicas: 2, maxReplicas: 6, requestsPerPod: 50, latencyObjectiveMs: 250 },
  release: {
    target: "kubernetes",
    stageTimeoutSeconds: 300,
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
      durationSeconds: 300,
      intervalSeconds: 5,
      maxErrorRatio: 0.01,
      maxP95Ms: 300,
      holdTimeoutSeconds: 300,
    },
  },
});
