import { describe, expect, it } from "@jest/globals";
import { InvalidEnvironment } from "../../environment/environment.ts";
import { notes } from "../../environment/notes.ts";
import { withServer } from "./a-server.ts";
import { resourceOf, stackOf, synthesize } from "./synthesized.ts";

interface Template {
  readonly metadata: { readonly labels: object; readonly annotations: object };
  readonly spec: Readonly<Record<string, unknown>> & {
    readonly container: readonly Readonly<Record<string, unknown>>[];
  };
}

/** The blue Deployment of an environment with these fields. */
function deployment(fields: { pod?: object; app?: Record<string, unknown>; server?: Record<string, unknown> }) {
  const { server = {}, ...rest } = fields;
  const blue = stackOf(synthesize(withServer(server, rest)), "blue");
  return resourceOf(blue, "kubernetes_deployment_v1").spec as unknown as { template: Template; strategy: object };
}

const template = (fields: Parameters<typeof deployment>[0]) => deployment(fields).template;

const REGISTRY = "registry.example.com";

describe("the pods of an environment", () => {
  it("carry labels and annotations of its own beside the kit's", () => {
    const { metadata } = template({
      pod: { labels: { team: "search" }, annotations: { "prometheus.io/scrape": "true" } },
    });

    expect(metadata.labels).toEqual({
      team: "search",
      "app.kubernetes.io/name": "mcp-app",
      "mcp-bluegreen/color": "blue",
    });
    expect(metadata.annotations).toMatchObject({
      "prometheus.io/scrape": "true",
      "mcp-bluegreen/settings": expect.stringContaining('"annotations":{"prometheus.io/scrape":"true"}'),
    });
  });

  it("run on nodes that it names, in a class and with a runtime that it names", () => {
    const { spec } = template({
      pod: {
        nodeSelector: { "kubernetes.io/arch": "arm64" },
        tolerations: [
          { key: "dedicated", value: "mcp", effect: "NoSchedule" },
          { key: "spot", seconds: 60, effect: "NoExecute" },
        ],
        priorityClass: "high",
        runtimeClass: "gvisor",
      },
    });

    expect(spec).toMatchObject({
      node_selector: { "kubernetes.io/arch": "arm64" },
      toleration: [
        { key: "dedicated", operator: "Equal", value: "mcp", effect: "NoSchedule" },
        { key: "spot", operator: "Exists", effect: "NoExecute", toleration_seconds: "60" },
      ],
      priority_class_name: "high",
      runtime_class_name: "gvisor",
    });
  });

  it("are near to and apart from others, required without a weight and preferred with one", () => {
    const { spec } = template({
      pod: {
        affinity: {
          nodes: [
            { match: [{ key: "gpu", operator: "Exists" }] },
            { weight: 50, match: [{ key: "zone", values: ["a", "b"] }] },
          ],
          near: [{ labels: { app: "redis" }, namespaces: ["data"], topologyKey: "topology.kubernetes.io/zone" }],
          apart: [{ weight: 100 }],
        },
      },
    });

    expect(spec.affinity).toEqual({
      node_affinity: {
        required_during_scheduling_ignored_during_execution: {
          node_selector_term: [{ match_expressions: [{ key: "gpu", operator: "Exists" }] }],
        },
        preferred_during_scheduling_ignored_during_execution: [
          { weight: 50, preference: { match_expressions: [{ key: "zone", operator: "In", values: ["a", "b"] }] } },
        ],
      },
      pod_affinity: {
        required_during_scheduling_ignored_during_execution: [
          {
            label_selector: [{ match_labels: { app: "redis" } }],
            namespaces: ["data"],
            topology_key: "topology.kubernetes.io/zone",
          },
        ],
      },
      pod_anti_affinity: {
        preferred_during_scheduling_ignored_during_execution: [
          {
            weight: 100,
            pod_affinity_term: {
              label_selector: [
                { match_labels: { "app.kubernetes.io/name": "mcp-app", "mcp-bluegreen/color": "blue" } },
              ],
              topology_key: "kubernetes.io/hostname",
            },
          },
        ],
      },
    });
  });

  it("spread over what it names, or over nothing", () => {
    const spread = [{ topologyKey: "rack", maxSkew: 2, whenUnsatisfiable: "DoNotSchedule" }];

    expect(template({ pod: { spread } }).spec.topology_spread_constraint).toMatchObject([
      { topology_key: "rack", max_skew: 2, when_unsatisfiable: "DoNotSchedule" },
    ]);
    expect(template({ pod: { spread: [] } }).spec).not.toHaveProperty("topology_spread_constraint");
  });

  it("have its users and groups, and a root that is read-only with a /tmp, or writable", () => {
    const security = { user: 1000, group: 1001, fsGroup: 2000 };
    const readOnly = template({ pod: { security } }).spec;
    expect(readOnly).toMatchObject({
      security_context: { run_as_user: "1000", run_as_group: "1001", fs_group: "2000", run_as_non_root: true },
      init_container: [{ security_context: { run_as_user: "1000" } }],
      container: [
        {
          security_context: { read_only_root_filesystem: true },
          volume_mount: [{ name: "tmp", mount_path: "/tmp" }, { name: "pause" }],
        },
      ],
    });

    const writable = template({ pod: { security: { readOnlyRoot: false } } }).spec;
    expect(writable.container[0]).toMatchObject({ security_context: { read_only_root_filesystem: false } });
    expect(JSON.stringify(writable)).not.toContain('"/tmp"');
  });

  it("pull images with its Secrets and by its policy", () => {
    const { spec } = template({ pod: { pullSecrets: ["registry"], pullPolicy: "Always" } });

    expect(spec).toMatchObject({
      image_pull_secrets: [{ name: "registry" }],
      container: [{ image_pull_policy: "Always" }],
      init_container: [{ image_pull_policy: "Always" }],
    });
  });

  it("are replaced as it says", () => {
    expect(deployment({ pod: { strategy: { type: "RollingUpdate", maxUnavailable: "25%" } } }).strategy).toEqual({
      type: "RollingUpdate",
      rolling_update: { max_surge: "25%", max_unavailable: "25%" },
    });
    expect(deployment({ pod: { strategy: { type: "Recreate" } } }).strategy).toEqual({ type: "Recreate" });
    expect(notes(withServer({}, { pod: { strategy: { type: "Recreate" } } }))).toContainEqual(
      expect.stringContaining("a restart of the live color ends all its pods"),
    );
  });

  it("read all values of Secrets and ConfigMaps as variables, and their keys as files", () => {
    const { spec } = template({
      app: {
        envFrom: [{ configMap: "plain" }, { secret: "login", prefix: "DB_", optional: true }],
        files: [
          { path: "/etc/app", configMap: "files" },
          { path: "/etc/catalog.yml", configMap: "files", key: "catalog.yml" },
          { path: "/run/secrets/tls", secret: "tls", optional: true },
        ],
      },
    });

    expect(spec.container[0]).toMatchObject({
      env_from: [
        { config_map_ref: { name: "plain" } },
        { prefix: "DB_", secret_ref: { name: "login", optional: true } },
      ],
      volume_mount: expect.arrayContaining([
        { name: "files-0", mount_path: "/etc/app", read_only: true },
        { name: "files-0", mount_path: "/etc/catalog.yml", sub_path: "catalog.yml", read_only: true },
        { name: "files-1", mount_path: "/run/secrets/tls", read_only: true },
      ]),
    });
    expect(spec.volume).toEqual(
      expect.arrayContaining([
        { name: "files-0", config_map: { name: "files" } },
        { name: "files-1", secret: { secret_name: "tls", optional: true } },
      ]),
    );
  });

  it("have containers beside and before that of the server, with settings, ports and files of their own", () => {
    const collector = {
      name: "collector",
      image: `${REGISTRY}/collector:1`,
      args: ["--config=/etc/collector/config.yml"],
      ports: { grpc: 4317, http: 4318 },
      settings: { LEVEL: "info" },
      settingsFrom: { KEY: { secret: "collector", key: "key" } },
      files: [{ path: "/etc/collector", configMap: "collector" }],
      resources: { requests: { cpu: "50m", memory: "64Mi" }, limits: { memory: "128Mi" } },
    };
    const migrate = { name: "wait", image: `${REGISTRY}/wait:1`, command: ["wait-for", "db"] };
    const { spec } = template({ pod: { sidecars: [collector], initContainers: [migrate] } });

    expect(spec.container).toHaveLength(2);
    expect(spec.container[1]).toMatchObject({
      name: "collector",
      image: `${REGISTRY}/collector:1`,
      args: ["--config=/etc/collector/config.yml"],
      port: [
        { name: "grpc", container_port: 4317 },
        { name: "http", container_port: 4318 },
      ],
      env: [
        { name: "KEY", value_from: { secret_key_ref: { name: "collector", key: "key" } } },
        { name: "LEVEL", value: "info" },
      ],
      volume_mount: [{ name: "files-0", mount_path: "/etc/collector", read_only: true }],
      resources: { requests: { cpu: "50m", memory: "64Mi" }, limits: { memory: "128Mi" } },
      security_context: { read_only_root_filesystem: true, run_as_non_root: true },
    });
    expect(spec.init_container).toMatchObject([
      { name: "copy-sleep" },
      { name: "wait", image: `${REGISTRY}/wait:1`, command: ["wait-for", "db"] },
    ]);
  });

  it.each([
    [
      "a label of the kit",
      { pod: { labels: { "app.kubernetes.io/name": "x" } } },
      "'app.kubernetes.io/name' is set by the kit",
    ],
    ["a label's value", { pod: { labels: { team: "a b" } } }, "pod.labels.team: 'a b' is not a label's value"],
    ["root", { pod: { security: { user: 0 } } }, "pod.security.user: 0 is root, which no pod of this kit is"],
    [
      "a strategy that replaces nothing",
      { pod: { strategy: { type: "RollingUpdate", maxSurge: "0" } } },
      "pod.strategy: maxSurge and maxUnavailable cannot both be 0",
    ],
    [
      "annotations of an account that others make",
      { pod: { serviceAccount: { existing: "mcp", annotations: { role: "x" } } } },
      "pod.serviceAccount.annotations: 'mcp' exists: annotate it where it is made, or remove 'existing'",
    ],
    [
      "an operator without its values",
      { pod: { affinity: { nodes: [{ match: [{ key: "zone" }] }] } } },
      "pod.affinity.nodes.0.match.0.values: 'In' of 'zone' needs values, not 0",
    ],
    [
      "a container's name twice",
      { pod: { sidecars: [{ name: "app", image: "a:1" }] } },
      "pod.sidecars.0.name: there is another container 'app'",
    ],
    [
      "a port twice",
      { pod: { sidecars: [{ name: "a", image: "a:1", ports: { http: 8080 } }] } },
      "port 'http' (8080) of sidecar 'a' is also 'mcp' (8080) of the server",
    ],
    [
      "a secret of a sidecar",
      { pod: { sidecars: [{ name: "a", image: "a:1", settings: { API_KEY: "x" } }] } },
      "pod.sidecars.0.settings.API_KEY: looks like a secret (its name ends in 'API_KEY')",
    ],
    [
      "a sidecar's image that is not pinned",
      {
        app: { imagePolicy: "digest", image: `a@sha256:${"1".repeat(64)}` },
        pod: { sidecars: [{ name: "a", image: "a:1" }] },
      },
      "pod.sidecars.0.image: 'a:1' is not pinned",
    ],
    [
      "a request of a sidecar above its limit",
      { pod: { sidecars: [{ name: "a", image: "a:1", resources: { limits: { memory: "1Mi" } } }] } },
      "pod.sidecars.0.resources.requests.memory: the request '256Mi' must be at most the limit '1Mi'",
    ],
    [
      "a relative path",
      { app: { files: [{ path: "etc", secret: "a" }] } },
      "app.files.0.path: must be an absolute path",
    ],
    [
      "two files at one path",
      {
        app: {
          files: [
            { path: "/a", secret: "a" },
            { path: "/a", secret: "b" },
          ],
        },
      },
      "app.files.1.path: there is another file at '/a'",
    ],
  ])("are refused with %s", (_, fields, message) => {
    expect(() => withServer({}, fields)).toThrow(InvalidEnvironment);
    expect(() => withServer({}, fields)).toThrow(message);
  });
});

describe("the service account", () => {
  const platform = (serviceAccount: object) =>
    stackOf(synthesize(withServer({}, { pod: { serviceAccount } })), "platform");

  it("is made, with annotations for a cloud's identity", () => {
    const role = { "eks.amazonaws.com/role-arn": "arn:aws:iam::1:role/mcp" };
    const account = resourceOf(platform({ annotations: role }), "kubernetes_service_account_v1");

    expect(account.metadata).toMatchObject({
      name: "mcp-app",
      annotations: { ...role, "mcp-bluegreen/managed-by": "terraform" },
    });
  });

  it("is one that exists, and then none is made", () => {
    expect(platform({ existing: "memory" }).resource).not.toHaveProperty("kubernetes_service_account_v1");
    expect(template({ pod: { serviceAccount: { existing: "memory", mountToken: true } } }).spec).toMatchObject({
      service_account_name: "memory",
      automount_service_account_token: true,
    });
  });
});
