import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { App } from "cdktf";
import { environment } from "../../environment/environment.ts";
import { SETTINGS_ANNOTATION, WANTED_SETTINGS_KEY } from "../../environment/names.ts";
import { colorName, LIVE_SERVICE, WANTED_SETTINGS } from "../default-names.ts";
import local from "../../environments/local.ts";
import production from "../../environments/production.ts";
import { BlueGreenApp } from "../../stacks/blue-green-app.ts";
import { namesOf } from "../../environment/names.ts";
import { podProps } from "../../stacks/pods.ts";
import { allResources, KUBECONFIG, localWith, resourceOf, stackOf, synthesize } from "./synthesized.ts";

const names = namesOf("mcp-app");

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
    new BlueGreenApp(app, local, { change: {}, cluster: { files: [KUBECONFIG] } });
    app.synth();
    const { stacks } = JSON.parse(await readFile(join(outdir, "manifest.json"), "utf8")) as Manifest;

    expect(Object.fromEntries(Object.entries(stacks).map(([name, { dependencies }]) => [name, dependencies]))).toEqual({
      "local-platform": [],
      "local-blue": ["local-platform"],
      "local-green": ["local-platform"],
      "local-traffic": ["local-platform", "local-blue", "local-green"],
    });
  });

  it("reach the cluster through the kubeconfig and the environment's context", () => {
    for (const { provider } of Object.values(synthesize(production))) {
      expect(provider.kubernetes[0]).toMatchObject({ config_path: KUBECONFIG, config_context: "production" });
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

describe("a user's text", () => {
  const EXPRESSION = '${file("/etc/hostname")} %{ if true } $${x}';
  const ESCAPED = '$${file("/etc/hostname")} %%{ if true } $$${x}';

  it("reaches Terraform escaped, wherever it stands", () => {
    const app = { settings: { NOTE: EXPRESSION }, allowedHosts: [EXPRESSION], allowedOrigins: [EXPRESSION] };
    const of = { ...localWith(app), context: EXPRESSION };
    const stacks = synthesize(of);

    expect(stackOf(stacks, "blue").provider.kubernetes[0]).toMatchObject({ config_context: ESCAPED });
    const { data } = resourceOf(stackOf(stacks, "platform"), "kubernetes_config_map_v1");
    const { env } = JSON.parse((data as Record<string, string>)[WANTED_SETTINGS_KEY] ?? "") as { env: object[] };
    expect(env).toContainEqual({ name: "NOTE", value: ESCAPED });
    expect(env).toContainEqual({ name: "ALLOWED_ORIGINS", value: ESCAPED });
    for (const stack of Object.values(stacks)) {
      const unescaped = JSON.stringify(stack).match(
        /(?<![$])[$][{](?!kubernetes_|data\.|startswith|plantimestamp|terraform_|var\.|\{)/g,
      );
      expect(unescaped).toBeNull();
    }
  });

  it("is refused where it holds a token of cdktf, which no escape stops", () => {
    expect(() => synthesize(localWith({ settings: { NOTE: "${TfToken[TOKEN.1]}" } }))).toThrow(
      "app.settings.NOTE: is a value of another resource",
    );
  });
});

describe("every object in the cluster", () => {
  it("has a label and an annotation of ours from its creation on, and the provider ignores every other key", () => {
    const stacks = synthesize(production);
    for (const { resource } of allResources(stacks)) {
      expect(resource.metadata).toMatchObject({
        labels: { "app.kubernetes.io/name": "mcp-app" },
        annotations: { "mcp-bluegreen/managed-by": "terraform" },
      });
    }
    for (const { provider } of Object.values(stacks)) {
      const { ignore_annotations: annotations, ignore_labels: labels } = provider.kubernetes[0] as Record<
        string,
        string[]
      >;
      const ignores = (patterns: string[] | undefined, key: string) =>
        (patterns ?? []).some((pattern) => new RegExp(pattern).test(key));
      const foreign = [
        "mcp-bluegreen/epoch",
        "cloud.google.com/neg",
        "mcp-bluegreen/managed-by-x",
        "mcp",
        "istio-injection",
      ];
      for (const key of foreign) expect([ignores(annotations, key), ignores(labels, key)]).toEqual([true, true]);
      expect(ignores(annotations, "mcp-bluegreen/managed-by")).toBe(false);
      expect(ignores(labels, "app.kubernetes.io/name")).toBe(false);
    }
  });

  it("keeps the pull secrets and tokens that others add to the service account", () => {
    const account = resourceOf(stackOf(synthesize(), "platform"), "kubernetes_service_account_v1");

    expect(account.lifecycle?.ignore_changes).toEqual(["image_pull_secret", "secret"]);
    expect(account).not.toHaveProperty("image_pull_secret");
  });
});

describe("a stage", () => {
  const IMAGE = `registry.example.com/mcp-app@sha256:${"1".repeat(64)}`;
  const MARK = '"mcp-bluegreen/mark":"m-1"';

  it("carries its mark in the pods, and its epoch in a precondition that is checked during the apply", () => {
    const green = stackOf(
      synthesize(local, { stage: { color: "green", image: IMAGE, release: { mark: "m-1", epoch: 7 } } }),
      "green",
    );
    const deployment = resourceOf(green, "kubernetes_deployment_v1");

    expect(JSON.stringify(deployment.spec)).toContain(MARK);
    expect(JSON.stringify(deployment.metadata)).not.toContain("m-1");
    expect(green.resource.terraform_data?.stage).toMatchObject({ input: "m-1/epoch 7/${plantimestamp()}" });
    expect(green.data?.kubernetes_service_v1?.live).toMatchObject({ depends_on: ["terraform_data.stage"] });
    expect(deployment.lifecycle?.precondition).toHaveLength(2);
  });

  it("leaves no trace in a synth that stages nothing: the marker's value is ignored", () => {
    const green = stackOf(synthesize(local), "green");

    expect(green.resource.terraform_data?.stage).toMatchObject({ lifecycle: { ignore_changes: ["input"] } });
    expect(JSON.stringify(resourceOf(green, "kubernetes_deployment_v1").spec)).not.toContain("mcp-bluegreen/mark");
  });

  it("by an operator has no mark and no epoch, and the live color is checked during the apply nevertheless", () => {
    const green = stackOf(synthesize(local, { stage: { color: "green", image: IMAGE } }), "green");
    const deployment = resourceOf(green, "kubernetes_deployment_v1");

    expect(green.resource.terraform_data?.stage).toMatchObject({ input: "operator/${plantimestamp()}" });
    expect(green.data?.kubernetes_service_v1?.live).toMatchObject({ depends_on: ["terraform_data.stage"] });
    expect(deployment.lifecycle?.precondition).toHaveLength(1);
    expect(JSON.stringify(deployment.spec)).not.toContain("mcp-bluegreen/mark");
  });
});

describe("the live Service", () => {
  it("is reached as the environment says", () => {
    const service = { type: "NodePort", nodePort: 30080 } as const;
    const stacks = synthesize(environment({ ...local, service }));
    const { spec, metadata } = resourceOf(stackOf(stacks, "traffic"), "kubernetes_service_v1", LIVE_SERVICE);

    expect(metadata).toMatchObject({ labels: { "mcp-bluegreen/environment": "local" } });
    expect(spec).toMatchObject({
      type: "NodePort",
      external_traffic_policy: "Cluster",
      port: [{ node_port: 30080, port: 80, target_port: "mcp" }],
    });
  });
});

describe("what an environment says about its pods", () => {
  it("is the same JSON in the pod template and in the wanted settings, without the color", () => {
    const stacks = synthesize(localWith({ settings: { LOG_LEVEL: "warn" } }));
    const { data } = resourceOf(stackOf(stacks, "platform"), "kubernetes_config_map_v1", WANTED_SETTINGS);

    for (const color of ["blue", "green"] as const) {
      const { spec } = resourceOf(stackOf(stacks, color), "kubernetes_deployment_v1", colorName(color));
      const { template } = spec as { template: { metadata: { annotations: Record<string, string> } } };
      expect(data).toEqual({ [WANTED_SETTINGS_KEY]: template.metadata.annotations[SETTINGS_ANNOTATION] });
    }
    const wanted = (data as Record<string, string>)[WANTED_SETTINGS_KEY] ?? "";
    expect(JSON.parse(wanted)).toMatchObject({
      env: expect.arrayContaining([
        { name: "LOG_LEVEL", value: "warn" },
        {
          name: "REQUEST_STATE_KEY",
          valueFrom: { secretKeyRef: { name: "mcp-request-state-r1", key: "REQUEST_STATE_KEY" } },
        },
      ]),
      resources: { requests: { memory: "256Mi" } },
      pod: { serviceAccountName: "mcp-app" },
    });
  });

  it("admits the names of its Services, and the port forward that a release looks through, besides its own hosts", () => {
    const hosts = podProps(production, names).server.env.ALLOWED_HOSTS?.split(",");

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

    expect(podProps(of, names).graceSeconds).toBe(5 + 2 + 120 + 5);
  });

  it("is refused when a drain has no unit", () => {
    expect(() => localWith({ settings: { DRAIN_TIMEOUT: "20" } })).toThrow(
      "app.settings.DRAIN_TIMEOUT: must be a whole number and a unit ('500ms', '20s', '5m'), not '20'",
    );
  });
});

describe("an environment of another name", () => {
  it("has nothing in the namespace of this one", () => {
    const of = environment({ ...local, name: "elsewhere", namespace: "mcp-elsewhere" });

    expect(JSON.stringify(synthesize(of))).not.toContain(local.namespace);
  });
});
