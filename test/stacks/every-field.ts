import { environment } from "../../environment/environment.ts";
import local from "../../environments/local.ts";

const http = { type: "http", port: "admin", path: "/ready", headers: { Accept: "text/plain" } } as const;

const container = {
  image: "registry.example.com/beside:1",
  command: ["run"],
  args: ["--fast"],
  settings: { LEVEL: "info" },
  settingsFrom: { KEY: { secret: "beside", key: "key" } },
  envFrom: [{ secret: "beside", prefix: "BESIDE_" }],
  files: [{ path: "/etc/beside", configMap: "beside" }],
  resources: { limits: { cpu: "1", memory: "512Mi" } },
};

/** A server of which every field of the plan is set. */
export default environment({
  name: "full",
  namespace: "mcp-full",
  context: "full",
  server: {
    port: 8000,
    ports: { admin: 9000, grpc: 9001 },
    servicePort: 8080,
    command: ["serve"],
    args: ["--port", "8000"],
    sessions: "none",
    variables: {
      port: "PORT",
      ports: { admin: "ADMIN" },
      color: "COLOR",
      allowedHosts: "HOSTS",
      redisUrl: "REDIS_URL",
    },
    probes: {
      startup: { type: "exec", command: ["check"], periodSeconds: 5 },
      readiness: { ...http, initialDelaySeconds: 3 },
      liveness: { type: "grpc", port: 9001, service: "live" },
    },
    metrics: { port: "admin", histogram: "calls_seconds" },
  },
  app: {
    name: "full",
    image: "registry.example.com/full:1",
    imagePolicy: "any",
    settings: { LEVEL: "info" },
    settingsFrom: { A: { secret: "a", key: "a", optional: true }, B: { configMap: "b", key: "b" } },
    envFrom: [{ configMap: "c" }, { secret: "d", prefix: "D_", optional: true }],
    files: [
      { path: "/etc/a", configMap: "a" },
      { path: "/etc/b", secret: "b", key: "b", optional: true },
    ],
    resources: { requests: { cpu: "0.5", memory: "1024Mi" }, limits: { cpu: "2", memory: "1.5Gi" } },
    redis: { namespace: "redis", cidr: "10.0.0.0/8" },
  },
  pod: {
    labels: { team: "a" },
    annotations: { "example.com/a": "b" },
    nodeSelector: { pool: "a" },
    tolerations: [{ key: "a", value: "b", effect: "NoExecute", seconds: 60 }, {}],
    affinity: {
      nodes: [{ match: [{ key: "a", values: ["b"] }] }, { weight: 1, match: [{ key: "c", operator: "Exists" }] }],
      near: [{ labels: { app: "redis" }, namespaces: ["redis"] }, { weight: 5 }],
      apart: [{ weight: 100 }],
    },
    spread: [{ topologyKey: "zone", whenUnsatisfiable: "DoNotSchedule" }],
    priorityClass: "high",
    runtimeClass: "gvisor",
    serviceAccount: { annotations: { "example.com/role": "a" }, mountToken: true },
    pullSecrets: ["registry"],
    pullPolicy: "Always",
    security: { user: 1000, group: 1000, fsGroup: 1000 },
    strategy: { type: "RollingUpdate", maxSurge: "1", maxUnavailable: "25%" },
    initContainers: [{ name: "before", ...container }],
    sidecars: [{ name: "beside", ...container, ports: { beside: 7000 } }],
  },
  scaling: {
    minReplicas: 2,
    maxReplicas: 9,
    cpuPercent: 80,
    memoryPercent: 80,
    requestsPerPod: 1000,
    latencyObjectiveMs: 250,
  },
  service: {
    type: "LoadBalancer",
    class: "example.com/lb",
    sourceRanges: ["10.0.0.0/8"],
    annotations: { "example.com/a": "b" },
  },
  ingress: { class: "traefik", host: "full.example.com", tlsSecret: "tls", annotations: { "example.com/a": "b" } },
  services: { metrics: { port: 80, targetPort: "beside" } },
  network: {
    clients: { namespaces: ["a"], cidrs: ["10.0.0.0/8"] },
    egress: [{ port: 53, protocol: "UDP", cidr: "10.0.0.0/8" }],
  },
  volumes: {
    made: { type: "claim", path: "/made", size: "1Gi", class: "fast", accessMode: "ReadWriteOnce" },
    existing: { type: "existing", path: "/existing", claim: "existing", accessMode: "ReadWriteMany" },
    cache: { type: "emptyDir", path: "/cache", sizeLimit: "1Gi", memory: true },
  },
  release: local.release,
});
