import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { App } from "cdktf";
import { environment } from "../../environments/environment.ts";
import { colorName, LIVE_SERVICE, SETTINGS_ANNOTATION, WANTED_SETTINGS } from "../../environments/names.ts";
import local from "../../environments/local.ts";
import production from "../../environments/production.ts";
import { addStacks } from "../../stacks/environment-stacks.ts";
import { podSettings } from "../../stacks/pod-settings.ts";
import { KUBECONFIG, localWith, resourceOf, stackOf, synthesize } from "./synthesized.ts";

interface Manifest {
  readonly stacks: Readonly<Record<string, { readonly dependencies: readonly string[] }>>;
}

describe("the stacks of an environment", () => {
  let outdir: string;
  beforeAll(async () => {
    outdir = await mkdtemp(join(tmpdir(), "synth-"));
  });
  afterAll(() => rm(outdir, { recursive: true }));

  it("are four, deployed in an order in which each finds what it needs", async () => {
    const app = new App({ outdir });
    addStacks(app, { environment: local, kubeconfig: [KUBECONFIG] });
    app.synth();
    const { stacks } = JSON.parse(await readFile(join(outdir, "manifest.json"), "utf8")) as Manifest;

    expect(Object.fromEntries(Object.entries(stacks).map(([name, { dependencies }]) => [name, dependencies]))).toEqual({
      "local-platform": [],
      "local-blue": ["local-platform"],
      "local-green": ["local-platform"],
      "local-traffic": ["local-platform", "local-blue", "local-green"],
    });
  });

  it("refuse to stage and to activate the same color, since nothing could have verified it", () => {
    const app = new App({ outdir });
    addStacks(app, {
      environment: local,
      kubeconfig: [KUBECONFIG],
      stage: { color: "green", image: "app:2" },
      activate: "green",
    });

    expect(() => {
      app.synth();
    }).toThrow("'green' is both staged and activated");
  });

  it("reach the cluster through the kubeconfig and the environment's context", () => {
    for (const { provider } of Object.values(synthesize(production))) {
      expect(provider.kubernetes[0]).toEqual({ config_path: KUBECONFIG, config_context: "production" });
    }
  });

  it("keep their state in a file each, or under a key each in S3 with its own lock", () => {
    expect(stackOf(synthesize(), "blue").terraform.backend).toMatchObject({
      local: { path: expect.stringMatching(/terraform\.local-blue\.tfstate$/) },
    });
    expect(stackOf(synthesize(production), "blue").terraform.backend).toEqual({
      s3: {
        bucket: "example-terraform-state",
        encrypt: true,
        key: "production/production-blue.tfstate",
        region: "eu-central-1",
        use_lockfile: true,
      },
    });
  });
});

describe("the live Service", () => {
  it("is reached as the environment says", () => {
    const { spec } = resourceOf(stackOf(synthesize(), "traffic"), "kubernetes_service_v1", LIVE_SERVICE);

    expect(spec).toMatchObject({
      type: "NodePort",
      external_traffic_policy: "Cluster",
      port: [{ node_port: 30080, port: 80, target_port: "mcp" }],
    });
  });
});

describe("what an environment says about its pods", () => {
  it("stands in the pod template and in the wanted settings by the same names, without the color", () => {
    const stacks = synthesize(localWith({ settings: { LOG_LEVEL: "warn" } }));
    const { data } = resourceOf(stackOf(stacks, "platform"), "kubernetes_config_map_v1", WANTED_SETTINGS);

    for (const color of ["blue", "green"] as const) {
      const { spec } = resourceOf(stackOf(stacks, color), "kubernetes_deployment_v1", colorName(color));
      const { template } = spec as { template: { metadata: { annotations: Record<string, string> } } };
      expect(JSON.parse(template.metadata.annotations[SETTINGS_ANNOTATION] ?? "")).toEqual(data);
    }
    expect(data).toMatchObject({
      "env.LOG_LEVEL": "warn",
      "resources.memory": "256Mi",
      "secret.requestStateKeyRevision": "1",
    });
  });

  it("admits the names of its Services, and the port forward that a release looks through, besides its own hosts", () => {
    const hosts = podSettings(production).env.ALLOWED_HOSTS?.split(",");

    expect(hosts).toEqual(
      expect.arrayContaining([
        "mcp.example.com",
        "127.0.0.1",
        "mcp-app",
        "mcp-app-green.mcp-production.svc.cluster.local",
      ]),
    );
  });

  it("allows for the drain that the settings ask for", () => {
    const of = localWith({ settings: { DRAIN_DELAY: "1500ms", DRAIN_TIMEOUT: "2m" } });

    expect(podSettings(of).shutdown.drainSeconds).toBe(2 + 120 + 5);
  });

  it("is refused when a drain has no unit", () => {
    expect(() => podSettings(localWith({ settings: { DRAIN_TIMEOUT: "20" } }))).toThrow(
      "app.settings.DRAIN_TIMEOUT must be a whole number and a unit ('500ms', '20s', '5m'), not '20'",
    );
  });
});

describe("an environment of another name", () => {
  it("has nothing in the namespace of this one", () => {
    const of = environment({ ...local, name: "elsewhere", namespace: "mcp-elsewhere" });

    expect(JSON.stringify(synthesize(of))).not.toContain(local.namespace);
  });
});
