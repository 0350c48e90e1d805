import { describe, expect, it } from "@jest/globals";
import type { Environment } from "../../environment/environment.ts";
import { notes } from "../../environment/notes.ts";
import collector from "./deployments/collector.ts";
import gateway from "./deployments/gateway.ts";
import github from "./deployments/github.ts";
import grafana from "./deployments/grafana.ts";
import memory from "./deployments/memory.ts";
import nextcloud from "./deployments/nextcloud.ts";
import template from "./deployments/template.ts";
import everyField from "./every-field.ts";
import { allResources, resourceOf, stackOf, synthesize, type Resource } from "./synthesized.ts";

interface PodSpec {
  readonly container: readonly Readonly<Record<string, unknown>>[];
  readonly [field: string]: unknown;
}

const POLICY = "kubernetes_network_policy_v1";

/** What Terraform would create, by what one looks for. */
function plan(of: Environment) {
  const stacks = synthesize(of);
  const { spec } = resourceOf(stackOf(stacks, `${of.app.name}-blue`), "kubernetes_deployment_v1");
  const deployment = spec as {
    strategy: unknown;
    template: { metadata: { labels: unknown; annotations: Record<string, string> }; spec: PodSpec };
  };
  const [server, ...sidecars] = deployment.template.spec.container;
  const find = (type: string, name?: string): Resource => {
    const part = Object.values(stacks).find((stack) =>
      Object.values(stack.resource[type] ?? {}).some(({ metadata }) => name === undefined || metadata.name === name),
    );
    if (part === undefined) throw new Error(`no ${type} '${name ?? ""}'`);
    return resourceOf(part, type, name);
  };
  return {
    strategy: deployment.strategy,
    metadata: deployment.template.metadata,
    pod: deployment.template.spec,
    server,
    sidecars,
    autoscaler: resourceOf(stackOf(stacks, `${of.app.name}-blue`), "kubernetes_horizontal_pod_autoscaler_v2").spec,
    egress: find(POLICY, `${of.app.name}-egress`).spec.egress as { ports: { port: string }[] }[],
    types: new Set(allResources(stacks).map(({ type }) => type)),
    find,
  };
}

const fromSecret = (name: string, secret: string, key: string) => ({
  name,
  value_from: { secret_key_ref: { name: secret, key } },
});

const http = (path: string, more: object = {}) => ({ http_get: { path, port: "mcp", ...more } });

const utilization = (name: string, percent: number) => ({
  type: "Resource",
  resource: { name, target: { type: "Utilization", average_utilization: percent } },
});

const portsOf = (egress: readonly { readonly ports: readonly { readonly port: string }[] }[]) =>
  egress.flatMap(({ ports }) => ports.map(({ port }) => port));

describe("a public deployment, as an environment", () => {
  it("Grafana's: metrics on the MCP port, a service of the cluster, a token by reference", () => {
    const { pod, server, strategy, find, egress, autoscaler } = plan(grafana);

    expect(server).toMatchObject({
      image: "docker.io/grafana/mcp-grafana:0.7.9",
      port: [{ name: "mcp", container_port: 8000, protocol: "TCP" }],
      env: [
        fromSecret("GRAFANA_SERVICE_ACCOUNT_TOKEN", "grafana-mcp", "token"),
        { name: "GRAFANA_URL", value: "http://grafana:3000" },
      ],
      security_context: { read_only_root_filesystem: true },
      readiness_probe: { tcp_socket: [{ port: "mcp" }] },
    });
    expect(pod).toMatchObject({ security_context: { run_as_user: "1000", run_as_group: "1000", fs_group: "1000" } });
    expect(strategy).toEqual({ type: "RollingUpdate", rolling_update: { max_surge: "25%", max_unavailable: "25%" } });
    expect(find("kubernetes_service_v1", "grafana-mcp").spec.port).toMatchObject([{ port: 8000, target_port: "mcp" }]);
    expect(autoscaler).toMatchObject({ min_replicas: 1, max_replicas: 1 });
    expect(portsOf(egress)).toEqual(["53", "53", "443", "3000"]);
    expect(() => find(POLICY, "grafana-mcp-admin")).toThrow();
  });

  it("GitHub's: in a namespace with others, behind a host name with TLS", () => {
    const { server, find, types } = plan(github);

    expect(server).toMatchObject({
      port: [{ container_port: 8080 }],
      startup_probe: http("/"),
      readiness_probe: http("/"),
      liveness_probe: http("/"),
      env: [
        fromSecret("GITHUB_PERSONAL_ACCESS_TOKEN", "github-mcp", "token"),
        { name: "GITHUB_TOOLSETS", value: "context,repos,issues,pull_requests" },
      ],
    });
    expect(find("kubernetes_ingress_v1").spec).toMatchObject({
      ingress_class_name: "traefik",
      rule: [{ host: "github-mcp.example.com" }],
      tls: [{ hosts: ["github-mcp.example.com"], secret_name: "github-mcp-tls" }],
    });
    expect(types).not.toContain("kubernetes_namespace_v1");
    expect(types).not.toContain("kubernetes_secret_v1");
    expect(find(POLICY, "github-mcp-default-deny").spec.pod_selector).toEqual({
      match_labels: { "app.kubernetes.io/name": "github-mcp" },
    });
  });

  it("a gateway's: settings of two objects, a file, slow starts, CPU and memory", () => {
    const { pod, server, find, egress, autoscaler } = plan(gateway);

    expect(server).toMatchObject({
      image_pull_policy: "Always",
      port: [{ container_port: 4444 }, { name: "metrics", container_port: 8000 }],
      env: [
        fromSecret("POSTGRES_USER", "postgres", "user"),
        fromSecret("POSTGRES_PASSWORD", "postgres", "password"),
        { name: "DATABASE_URL", value: "postgresql+psycopg://$(POSTGRES_USER):$(POSTGRES_PASSWORD)@postgres:5432/mcp" },
        { name: "REDIS_URL", value: "redis://redis:6379/0" },
      ],
      env_from: [{ config_map_ref: { name: "gateway" } }, { secret_ref: { name: "gateway" } }],
      volume_mount: expect.arrayContaining([
        { name: "tmp", mount_path: "/tmp" },
        { name: "files-0", mount_path: "/app/catalog.yml", sub_path: "catalog.yml", read_only: true },
      ]),
      resources: { requests: { cpu: "500m", memory: "768Mi" }, limits: { cpu: "2", memory: "2Gi" } },
      startup_probe: {
        exec: { command: ["python3", "/app/ready.py"] },
        period_seconds: 10,
        failure_threshold: 30,
        timeout_seconds: 5,
      },
      readiness_probe: { ...http("/ready"), initial_delay_seconds: 15, period_seconds: 10, timeout_seconds: 5 },
      liveness_probe: { ...http("/health"), initial_delay_seconds: 60, period_seconds: 15, timeout_seconds: 5 },
    });
    expect(pod).toMatchObject({
      security_context: { run_as_user: "10001" },
      volume: expect.arrayContaining([
        { name: "tmp", empty_dir: {} },
        { name: "files-0", config_map: { name: "gateway-catalog" } },
      ]),
      affinity: {
        pod_anti_affinity: {
          preferred_during_scheduling_ignored_during_execution: [
            { weight: 100, pod_affinity_term: { topology_key: "kubernetes.io/hostname" } },
          ],
        },
      },
    });
    expect(autoscaler.metric).toEqual([utilization("cpu", 90), utilization("memory", 90)]);
    expect(find("kubernetes_service_v1", "gateway").spec.port).toMatchObject([{ port: 80, target_port: "mcp" }]);
    expect(portsOf(egress)).toEqual(["53", "53", "443", "5432", "6379"]);
    expect(JSON.stringify(find(POLICY, "gateway-admin").spec)).toContain('"8000"');
  });

  it("Nextcloud's: a volume that one node may mount, all pods replaced at once", () => {
    const { pod, server, strategy, find } = plan(nextcloud);

    expect(server).toMatchObject({
      args: ["--transport", "streamable-http"],
      port: [{ container_port: 8000 }, { name: "metrics", container_port: 9090 }],
      readiness_probe: http("/health/ready"),
      liveness_probe: http("/health/live"),
      env: [
        fromSecret("NEXTCLOUD_USERNAME", "nextcloud", "username"),
        fromSecret("NEXTCLOUD_PASSWORD", "nextcloud", "password"),
        { name: "NEXTCLOUD_HOST", value: "https://cloud.example.com" },
      ],
      resources: { requests: { cpu: "100m", memory: "128Mi" }, limits: { cpu: "1", memory: "512Mi" } },
      volume_mount: expect.arrayContaining([
        { name: "data", mount_path: "/app/data" },
        { name: "tmp", mount_path: "/tmp" },
      ]),
    });
    expect(pod).toMatchObject({
      security_context: { run_as_user: "1000", fs_group: "2000" },
      affinity: { pod_affinity: { required_during_scheduling_ignored_during_execution: [expect.anything()] } },
      volume: expect.arrayContaining([
        { name: "data", persistent_volume_claim: { claim_name: "nextcloud-mcp-data-r1" } },
      ]),
    });
    expect(strategy).toEqual({ type: "Recreate" });
    expect(find("kubernetes_persistent_volume_claim_v1", "nextcloud-mcp-data-r1")).toMatchObject({
      wait_until_bound: false,
      spec: { access_modes: ["ReadWriteOnce"], resources: { requests: { storage: "100Mi" } } },
    });
  });

  it("a FastMCP template's: GET of MCP with a header, clients through an Ingress alone", () => {
    const { pod, server, find, autoscaler } = plan(template);
    const get = http("/mcp/", { http_header: [{ name: "Accept", value: "text/event-stream" }] });

    expect(server).toMatchObject({
      port: [{ container_port: 3000 }],
      readiness_probe: get,
      liveness_probe: get,
      resources: { requests: { cpu: "100m", memory: "128Mi" }, limits: { cpu: "500m", memory: "512Mi" } },
      security_context: { read_only_root_filesystem: true },
      volume_mount: expect.arrayContaining([{ name: "tmp", mount_path: "/tmp" }]),
    });
    expect(server?.env).toEqual([
      ...["HOST", "LOG_LEVEL", "NAME", "TRANSPORT", "STATELESS", "CORS_ORIGINS", "VERSION"].map((key) => ({
        name: key,
        value_from: { config_map_key_ref: { name: "template", key } },
      })),
      { name: "PORT", value: "3000" },
    ]);
    expect(pod).toMatchObject({ security_context: { run_as_user: "1000" } });
    expect(autoscaler).toMatchObject({ metric: [utilization("cpu", 80), utilization("memory", 80)] });
    expect(find("kubernetes_ingress_v1")).toMatchObject({
      metadata: {
        annotations: {
          "nginx.ingress.kubernetes.io/enable-cors": "true",
          "nginx.ingress.kubernetes.io/cors-allow-methods": "GET, POST, DELETE, OPTIONS",
        },
      },
      spec: { ingress_class_name: "nginx", rule: [{ host: "template.example.com" }] },
      lifecycle: { create_before_destroy: false },
    });
    expect(find(POLICY, "template-clients").spec.ingress).toEqual([
      {
        from: [{ namespace_selector: { match_labels: { "kubernetes.io/metadata.name": "ingress-nginx" } } }],
        ports: [{ port: "3000", protocol: "TCP" }],
      },
    ]);
  });

  it("a memory's: Postgres by reference, nodes of its own, long calls, an existing account", () => {
    const { pod, server, metadata, egress, autoscaler, types } = plan(memory);

    expect(server).toMatchObject({
      image: "registry.example.com/tiger-memory-mcp-server:1.2.0",
      args: ["node", "dist/index.js", "http"],
      port: [{ container_port: 3001 }],
      env: [
        fromSecret("PGHOST", "memory-postgres", "host"),
        fromSecret("PGPORT", "memory-postgres", "port"),
        fromSecret("PGUSER", "memory-postgres", "user"),
        fromSecret("PGPASSWORD", "memory-postgres", "password"),
        fromSecret("PGDATABASE", "memory-postgres", "database"),
        fromSecret("LOGFIRE_TOKEN", "memory-logs", "token"),
        { name: "OTEL_EXPORTER_OTLP_ENDPOINT", value: "http://tracing-collector:4317" },
        { name: "PORT", value: "3001" },
      ],
      resources: { requests: { memory: "2Gi" }, limits: { memory: "2Gi" } },
      lifecycle: { pre_stop: [{ exec: { command: ["/mcp-bluegreen/sleep", "5"] } }] },
    });
    expect(server).not.toHaveProperty("resources.limits.cpu");
    expect(pod).toMatchObject({
      termination_grace_period_seconds: 900,
      service_account_name: "memory",
      node_selector: { "example.com/pool": "mcp" },
      toleration: [{ key: "example.com/pool", operator: "Equal", value: "mcp", effect: "NoSchedule" }],
      affinity: { pod_anti_affinity: expect.anything() },
    });
    expect(metadata.annotations).toMatchObject({ "example.com/team": "memory" });
    expect(types).not.toContain("kubernetes_service_account_v1");
    expect(autoscaler).toMatchObject({ min_replicas: 2, max_replicas: 2 });
    expect(portsOf(egress)).toEqual(["53", "53", "443", "4317", "5432"]);
  });

  it("a server's with a collector beside it: three ports, a file, and a Service for metrics", () => {
    const { pod, server, sidecars, find, egress } = plan(collector);

    expect(server).toMatchObject({
      port: [{ container_port: 4000 }],
      env: [
        { name: "OTEL_EXPORTER_OTLP_ENDPOINT", value: "http://localhost:4318" },
        { name: "OTEL_SERVICE_NAME", value: "waldzell-mcp" },
      ],
    });
    expect(sidecars).toMatchObject([
      {
        name: "collector",
        image: "docker.io/otel/opentelemetry-collector-contrib:0.115.0",
        args: ["--config=/etc/otelcol/config.yaml"],
        port: [
          { name: "otlp-grpc", container_port: 4317 },
          { name: "otlp-http", container_port: 4318 },
          { name: "prometheus", container_port: 8889 },
        ],
        volume_mount: [{ name: "files-0", mount_path: "/etc/otelcol", read_only: true }],
      },
    ]);
    expect(pod.volume).toContainEqual({ name: "files-0", config_map: { name: "collector" } });
    expect(find("kubernetes_service_v1", "waldzell-metrics").spec).toMatchObject({
      selector: { "app.kubernetes.io/name": "waldzell" },
      port: [{ name: "metrics", port: 8889, target_port: "prometheus" }],
    });
    expect(JSON.stringify(find(POLICY, "waldzell-admin").spec)).toContain('"8889"');
    // The collector is in the pod: no policy lets traces out.
    expect(portsOf(egress)).toEqual(["53", "53", "443"]);
  });

  it.each([
    [grafana, ["stay with the old version"]],
    [github, []],
    [gateway, ["stay with the old version"]],
    [nextcloud, ["ends every session", "stay with the old version", "run on one node", "ends all its pods"]],
    [template, []],
    [memory, ["stay with the old version"]],
    [collector, ["stay with the old version"]],
  ])("says to the author of $name what a release makes of it", (of, said) => {
    expect(notes(of)).toEqual(said.map((part) => expect.stringContaining(part)));
  });
});

describe("every deployment", () => {
  const all = [grafana, github, gateway, nextcloud, template, memory, collector, everyField];

  it.each(all)("$name is changed by releases alone: a plain deploy writes no pod and moves no traffic", (of) => {
    const { name } = of.app;
    const ignored = allResources(synthesize(of)).flatMap(({ type, resource }) =>
      type === "kubernetes_service_account_v1" || type === "kubernetes_ingress_v1"
        ? []
        : (resource.lifecycle?.ignore_changes ?? []).map((change) => `${resource.metadata.name}: ${change}`),
    );

    expect(ignored.sort()).toEqual([
      `${name}-blue: spec`,
      `${name}-green: spec`,
      `${name}-preview: spec[0].selector`,
      `${name}: spec[0].selector`,
    ]);
  });

  it.each(all)("$name has native resources alone, each with a label and an annotation of ours", (of) => {
    for (const { type, resource } of allResources(synthesize(of))) {
      expect(type).toMatch(/^kubernetes_[a-z_]+_v[12]$/);
      expect(resource.metadata).toMatchObject({
        labels: { "app.kubernetes.io/name": of.app.name },
        annotations: { "mcp-bluegreen/managed-by": "terraform" },
      });
    }
  });

  it.each(all)("$name has the same wanted settings as its staged pods", (of) => {
    const stacks = synthesize(of);
    const { data } = resourceOf(stackOf(stacks, `${of.app.name}-platform`), "kubernetes_config_map_v1");

    expect(data).toEqual({ "pod.json": plan(of).metadata.annotations["mcp-bluegreen/settings"] });
  });
});
