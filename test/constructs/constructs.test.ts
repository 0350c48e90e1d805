import { describe, expect, it } from "@jest/globals";
import { Testing, TerraformStack } from "cdktf";
import { Autoscaler, type AutoscalerProps } from "../../constructs/autoscaler.ts";
import { ColorService } from "../../constructs/color-service.ts";
import { canonical } from "../../constructs/pod-settings.ts";
import { SCALING_METRICS } from "../../constructs/scaling-rules.ts";
import local from "../../environments/local.ts";
import { namesOf, WANTED_SETTINGS_KEY } from "../../environment/names.ts";
import { podProps } from "../../stacks/pods.ts";
import { localWith, resourceOf, stackOf, synthesize, type Stack } from "../stacks/synthesized.ts";

const stack = () => new TerraformStack(Testing.app(), "test");

const names = namesOf("mcp-app");

const props: AutoscalerProps = {
  names,
  namespace: "mcp",
  deployment: "mcp-app-blue",
  minReplicas: 2,
  maxReplicas: 4,
  requestsPerPod: 12.5,
};

describe("an autoscaler", () => {
  it("scales on requests per pod first and latency pressure second, up at once and down after five minutes", () => {
    const scope = stack();
    new Autoscaler(scope, "autoscaler", props);
    const { spec } = resourceOf(JSON.parse(Testing.synth(scope)) as Stack, "kubernetes_horizontal_pod_autoscaler_v2");

    expect(spec.metric).toEqual([
      perPod(SCALING_METRICS.requestRate, "12500m"),
      perPod(SCALING_METRICS.latencyPressure, "1"),
    ]);
    expect(spec.behavior).toMatchObject({
      scale_up: [{ stabilization_window_seconds: 0, select_policy: "Max" }],
      scale_down: [{ stabilization_window_seconds: 300, select_policy: "Max" }],
    });
  });

  it.each([
    [1000, "1k"],
    [0.5, "500m"],
    [1.5e6, "1500k"],
  ])("writes %d requests per pod as the API does, so that the next plan is empty", (requestsPerPod, average) => {
    const scope = stack();
    new Autoscaler(scope, "autoscaler", { ...props, requestsPerPod });
    const { spec } = resourceOf(JSON.parse(Testing.synth(scope)) as Stack, "kubernetes_horizontal_pod_autoscaler_v2");

    expect(spec.metric).toContainEqual(perPod(SCALING_METRICS.requestRate, average));
  });

  it("refuses a minimum above the maximum, naming both and the Deployment", () => {
    expect(() => new Autoscaler(stack(), "autoscaler", { ...props, minReplicas: 5 })).toThrow(
      "'minReplicas' (5) must be at least 1 and at most 'maxReplicas' (4) for deployment 'mcp-app-blue'",
    );
  });

  const perPod = (name: string, average: string) => ({
    type: "Pods",
    pods: { metric: { name }, target: { type: "AverageValue", average_value: average } },
  });
});

describe("a color's Service", () => {
  it("refuses a node port that its type has no use for", () => {
    const service = { names, namespace: "mcp", name: "mcp-app", port: 80, color: "blue", nodePort: 30080 } as const;

    expect(() => new ColorService(stack(), "service", service)).toThrow(
      "'nodePort' (30080) needs type 'NodePort', not 'ClusterIP', for Service 'mcp-app'",
    );
  });
});

describe("a pod", () => {
  interface Template {
    readonly template: {
      readonly spec: Readonly<Record<string, unknown>> & { readonly container: readonly unknown[] };
    };
  }
  const { spec } = resourceOf(stackOf(synthesize(), "blue"), "kubernetes_deployment_v1");
  const pod = (spec as unknown as Template).template.spec;
  const { graceSeconds } = podProps(local, names);

  it("has no privileges, no token and nothing to write to", () => {
    expect(pod).toMatchObject({
      automount_service_account_token: false,
      security_context: { run_as_non_root: true, seccomp_profile: { type: "RuntimeDefault" } },
      container: [
        {
          security_context: {
            allow_privilege_escalation: false,
            read_only_root_filesystem: true,
            run_as_non_root: true,
            capabilities: { drop: ["ALL"] },
          },
        },
      ],
    });
    expect(pod).not.toHaveProperty("volume");
  });

  it("reads its secrets by revision, and starts without a Redis that the environment no longer has", () => {
    const redis = { urlRevisions: [2, 1], port: 6379, cluster: true };
    const blue = stackOf(synthesize(localWith({ redis })), "blue");
    const { template } = resourceOf(blue, "kubernetes_deployment_v1").spec as unknown as Template;

    expect(template.spec.container[0]).toMatchObject({
      env: expect.arrayContaining([
        { name: "REDIS_PREFIX", value: "local" },
        { name: "REDIS_CLUSTER", value: "true" },
        fromSecret("REQUEST_STATE_KEY", "mcp-request-state-r1"),
        fromSecret("REDIS_URL", "mcp-redis-url-r2", true),
      ]),
    });
    expect(JSON.stringify(pod)).not.toContain("REDIS");
  });

  it("reads values of existing Secrets and ConfigMaps by name and key, before the plain settings that contain them", () => {
    const settings = { AUTH_MODE: "off", DATABASE_URL: "postgres://app:$(PGPASSWORD)@db/app" };
    const settingsFrom = {
      PGPASSWORD: { secret: "postgres", key: "password", optional: false },
      REGION: { configMap: "cluster", key: "region", optional: true },
    };
    const stacks = synthesize(localWith({ settings, settingsFrom }));
    const { template } = resourceOf(stackOf(stacks, "blue"), "kubernetes_deployment_v1").spec as unknown as Template;
    const { env } = template.spec.container[0] as { env: { name: string }[] };

    expect(env).toEqual(
      expect.arrayContaining([
        { name: "PGPASSWORD", value_from: { secret_key_ref: { name: "postgres", key: "password" } } },
        { name: "REGION", value_from: { config_map_key_ref: { name: "cluster", key: "region", optional: true } } },
      ]),
    );
    const names = env.map(({ name }) => name);
    expect(names.indexOf("PGPASSWORD")).toBeLessThan(names.indexOf("DATABASE_URL"));
    const { data } = resourceOf(stackOf(stacks, "platform"), "kubernetes_config_map_v1");
    expect((data as Record<string, string>)[WANTED_SETTINGS_KEY]).toContain(
      '{"name":"PGPASSWORD","valueFrom":{"secretKeyRef":{"key":"password","name":"postgres"}}}',
    );
  });

  const fromSecret = (name: string, secret: string, optional?: true) => ({
    name,
    value_from: { secret_key_ref: { key: name, name: secret, ...(optional && { optional }) } },
  });

  it.each([
    [
      "its own, which goes with it",
      { type: "emptyDir", sizeLimit: "2Gi" },
      { empty_dir: { size_limit: "2Gi" } },
      "pod",
    ],
    [
      "one that outlives it",
      { type: "claim", claim: "mcp-data" },
      { persistent_volume_claim: { claim_name: "mcp-data" } },
      "volume",
    ],
  ] as const)(
    "writes to a volume that the environment names, and promises no more: %s",
    (_, dataVolume, source, promise) => {
      for (const color of ["blue", "green"]) {
        const stacks = stackOf(synthesize(localWith({ dataVolume })), color);
        const { template } = resourceOf(stacks, "kubernetes_deployment_v1").spec as unknown as Template;

        expect(template.spec).toMatchObject({
          security_context: { fs_group: "65532", run_as_non_root: true },
          volume: [{ name: "data", ...source }],
          container: [
            {
              volume_mount: [{ name: "data", mount_path: "/data" }],
              security_context: { read_only_root_filesystem: true },
              env: expect.arrayContaining([
                { name: "DATA_DIR", value: "/data" },
                { name: "DATA_DURABILITY", value: promise },
              ]),
            },
          ],
        });
      }
      expect(JSON.stringify(pod)).not.toMatch(/fs_group|volume|DATA_/);
    },
  );

  it("is limited in memory to what it asks for, and not limited in CPU", () => {
    expect(pod.container[0]).toMatchObject({
      resources: { requests: { cpu: "250m", memory: "256Mi" }, limits: { memory: "256Mi" } },
    });
    expect(pod.container[0]).not.toHaveProperty("resources.limits.cpu");
  });

  it("has requests and limits of CPU and memory apart, where the environment says so", () => {
    const resources = { requests: { cpu: "0.5", memory: "1024Mi" }, limits: { cpu: "2", memory: "1.5Gi" } };
    const blue = stackOf(synthesize(localWith({ resources })), "blue");
    const { template } = resourceOf(blue, "kubernetes_deployment_v1").spec as unknown as Template;

    expect(template.spec.container[0]).toMatchObject({
      resources: { requests: { cpu: "500m", memory: "1Gi" }, limits: { cpu: "2", memory: "1536Mi" } },
    });
  });

  it("is probed on the admin port, for readiness and for life apart", () => {
    const ask = (path: string) => ({ http_get: { path, port: "admin" } });

    expect(pod.container[0]).toMatchObject({
      startup_probe: ask("/readyz"),
      readiness_probe: ask("/readyz"),
      liveness_probe: ask("/livez"),
    });
  });

  it("waits before it stops, and is given time for that and its whole drain", () => {
    expect(pod.container[0]).toMatchObject({
      lifecycle: { pre_stop: [{ exec: { command: ["/proc/1/exe", "--eval", "setTimeout(() => {}, 5000)"] } }] },
    });
    expect(pod.termination_grace_period_seconds).toBe(graceSeconds);
    expect(graceSeconds).toBe(5 + 20 + 5);
  });

  it("spreads over zones and nodes without insisting", () => {
    expect(pod.topology_spread_constraint).toMatchObject([
      { topology_key: "topology.kubernetes.io/zone", when_unsatisfiable: "ScheduleAnyway" },
      { topology_key: "kubernetes.io/hostname", when_unsatisfiable: "ScheduleAnyway" },
    ]);
  });

  it("is replaced only once another is ready, and no deploy waits for that", () => {
    const deployment = resourceOf(stackOf(synthesize(), "blue"), "kubernetes_deployment_v1");

    expect(deployment.wait_for_rollout).toBe(false);
    expect(deployment.spec.strategy).toMatchObject({ rolling_update: { max_unavailable: "0" } });
  });
});

describe("the namespace", () => {
  const { resource } = stackOf(synthesize(), "platform");

  it("admits only pods without privileges", () => {
    expect(Object.values(resource.kubernetes_namespace_v1 ?? {})[0]?.metadata.labels).toMatchObject({
      "pod-security.kubernetes.io/enforce": "restricted",
    });
  });

  it("lets nothing in or out but MCP, metrics for those who watch, names and HTTPS", () => {
    const policies = Object.values(resource.kubernetes_network_policy_v1 ?? {});

    expect(Object.fromEntries(policies.map(({ metadata, spec }) => [metadata.name, portsOf(spec)]))).toEqual({
      "default-deny": [],
      "mcp-app-clients": ["8080"],
      "mcp-app-admin": ["9090"],
      "mcp-app-egress": ["53", "53", "443"],
    });
  });

  it("lets pods reach the environment's Redis where it says that is, and the collector of traces", () => {
    const platform = stackOf(
      synthesize(
        localWith({
          redis: { urlRevisions: [1], port: 6380, cluster: false, namespace: "redis", cidr: "10.0.0.0/16" },
          settings: { OTEL_EXPORTER_OTLP_ENDPOINT: "http://collector.monitoring:4318" },
        }),
      ),
      "platform",
    );
    const { spec } = resourceOf(platform, "kubernetes_network_policy_v1", "mcp-app-egress");

    expect((spec.egress as unknown[]).slice(2)).toEqual([
      {
        to: [
          { namespace_selector: { match_labels: { "kubernetes.io/metadata.name": "redis" } } },
          { ip_block: { cidr: "10.0.0.0/16" } },
        ],
        ports: [{ port: "6380", protocol: "TCP" }],
      },
      { to: [], ports: [{ port: "4318", protocol: "TCP" }] },
    ]);
  });

  it.each([
    ["OTEL_EXPORTER_OTLP_ENDPOINT", "https://traces.example.com", []],
    ["OTEL_EXPORTER_OTLP_ENDPOINT", "https://traces.example.com:4318", ["4318"]],
    ["OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector", ["80"]],
    ["OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4317", ["4317"]],
    ["OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4318", []],
    ["OUTBOUND_ALLOW", "api.example.com, *.example.com,api.example.com:8443,http://reports.internal", ["8443", "80"]],
    [
      "OUTBOUND_POOLS",
      "search=https://a.example,http://b.internal:8080*3;other=https://c.example:9443",
      ["8080", "9443"],
    ],
    ["AUTH_JWKS_URL", "https://login.example.com/jwks", []],
    ["AUTH_JWKS_URL", "https://login.example.com:8443/jwks", ["8443"]],
  ])("opens the port of what %s names, %s, unless it is HTTPS's own", (setting, url, ports) => {
    const platform = stackOf(synthesize(localWith({ settings: { [setting]: url } })), "platform");
    const { spec } = resourceOf(platform, "kubernetes_network_policy_v1", "mcp-app-egress");

    expect(portsOf(spec).slice(3)).toEqual(ports);
  });

  it("refuses a collector whose port cannot be told", () => {
    expect(() => localWith({ settings: { OTEL_EXPORTER_OTLP_ENDPOINT: "collector" } })).toThrow(
      "app.settings.OTEL_EXPORTER_OTLP_ENDPOINT: must name a port or be a URL, such as 'collector:4317'",
    );
  });

  const portsOf = (spec: object) => Array.from(JSON.stringify(spec).matchAll(/"port":"(\d+)"/g), ([, port]) => port);
});

describe("the settings of pods", () => {
  it("are the same text whatever order their fields were written in, and keep the order of lists", () => {
    const settings = { resources: { limits: {}, requests: { cpu: "1" } }, args: ["b", "a"] };
    const reordered = { args: ["b", "a"], resources: { requests: { cpu: "1" }, limits: {} }, absent: undefined };

    expect(JSON.stringify(canonical(reordered))).toBe(JSON.stringify(canonical(settings)));
    expect(JSON.stringify(canonical(settings))).toBe(
      '{"args":["b","a"],"resources":{"limits":{},"requests":{"cpu":"1"}}}',
    );
  });
});
