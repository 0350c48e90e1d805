import { environment } from "../environment/environment.ts";

/**
 * Where users are. To be replaced before the first deploy: the image, the bucket and the authorization server, which are examples
 * that exist nowhere, the context, and the host names; then the numbers, once `requestsPerPod` has been measured.
 */
export default environment({
  name: "production",
  namespace: "mcp-production",
  context: "production",
  state: { backend: "s3", bucket: "example-terraform-state", region: "eu-central-1" },
  app: {
    image: `registry.example.com/mcp-app:1.0.0@sha256:${"0".repeat(64)}`,
    settings: {
      LOG_LEVEL: "info",
      // Without the tools that are demonstrations, such as the weather.
      TOOLS:
        "resilient_api_call,load_balanced_request,store_data_resilient,get_data," +
        "breaker_control,update_weight,health_check,simple_health",
      AUTH_ISSUER: "https://login.example.com",
      AUTH_JWKS_URL: "https://login.example.com/.well-known/jwks.json",
      AUTH_AUDIENCE: "https://mcp.example.com/mcp",
    },
    resources: { requests: { cpu: "500m", memory: "256Mi" } },
    allowedHosts: ["mcp.example.com"],
  },
  scaling: {
    minReplicas: 3,
    maxReplicas: 24,
    requestsPerPod: 50,
    latencyObjectiveMs: 250,
    latencyFloorRequestsPerSecond: 2,
  },
  release: {
    target: "kubernetes",
    stageTimeoutSeconds: 600,
    // A tool that depends on nothing outside of its pod: a release does not wait for the services of others.
    smoke: {
      tool: "simple_health",
      expect: { properties: { status: { const: "ok" } }, required: ["status"] },
    },
    metrics: { calls: 3000, concurrency: 8, maxErrorRatio: 0.005, maxP95Ms: 300 },
    bake: {
      durationSeconds: 900,
      intervalSeconds: 5,
      maxErrorRatio: 0.005,
      maxP95Ms: 300,
      failureLimit: 3,
      holdTimeoutSeconds: 900,
    },
  },
});
