import { environment } from "../../../environment/environment.ts";
import local from "../../../environments/local.ts";

/** A server on Node with a collector of traces and metrics beside it. */
export default environment({
  name: "waldzell",
  namespace: "mcp-waldzell",
  server: { port: 4000, sessions: "none" },
  app: {
    name: "waldzell",
    image: "registry.example.com/waldzell-mcp:1.0.0",
    imagePolicy: "any",
    settings: {
      OTEL_EXPORTER_OTLP_ENDPOINT: "http://localhost:4318",
      OTEL_SERVICE_NAME: "waldzell-mcp",
    },
  },
  pod: {
    sidecars: [
      {
        name: "collector",
        image: "docker.io/otel/opentelemetry-collector-contrib:0.115.0",
        args: ["--config=/etc/otelcol/config.yaml"],
        ports: { "otlp-grpc": 4317, "otlp-http": 4318, prometheus: 8889 },
        files: [{ path: "/etc/otelcol", configMap: "collector" }],
        resources: { requests: { cpu: "100m", memory: "128Mi" }, limits: { memory: "256Mi" } },
      },
    ],
  },
  scaling: { replicas: 2 },
  services: { metrics: { port: 8889, targetPort: "prometheus" } },
  release: local.release,
});
