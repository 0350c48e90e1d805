import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, jest } from "@jest/globals";
import { App, TerraformStack, Token } from "cdktf";
import { Construct } from "constructs";
import { ColorDeployment } from "../../constructs/color-deployment.ts";
import { environment, type Environment, type EnvironmentInput } from "../../environment/environment.ts";
import { namesOf } from "../../environment/names.ts";
import local from "../../environments/local.ts";
import { BlueGreenApp } from "../../stacks/blue-green-app.ts";
import { podProps } from "../../stacks/pods.ts";
import { allResources, resourceOf, stackOf, type Stack } from "./synthesized.ts";

const PINNED = `registry.example.com/mcp-app@sha256:${"1".repeat(64)}`;
const CLUSTER = { files: [] };

function anEnvironment(of: Partial<EnvironmentInput>): Environment {
  return environment({ ...local, service: { type: "ClusterIP" }, ...of });
}

const shop = anEnvironment({ name: "prod", namespace: "shared", app: { ...local.app, name: "shop" } });
const search = anEnvironment({
  name: "prod",
  namespace: "shared",
  createNamespace: false,
  app: { ...local.app, name: "search" },
  scaling: { minReplicas: 3, maxReplicas: 9, cpuPercent: 70 },
});

describe("blue-green apps in the cdktf App of a user", () => {
  let outdir: string;
  let printed: string;
  const variables = ["STAGE", "STAGE_MARK", "STAGE_EPOCH", "ACTIVATE", "BLUEGREEN_APP", "KUBE_CONTEXT", "KUBECONFIG"];
  const set = (values: Readonly<Record<string, string>>) => Object.assign(process.env, values);

  beforeEach(async () => {
    outdir = await mkdtemp(join(tmpdir(), "synth-"));
    printed = "";
    jest.spyOn(process.stderr, "write").mockImplementation((text) => {
      printed += String(text);
      return true;
    });
  });
  afterEach(async () => {
    jest.restoreAllMocks();
    for (const name of variables) Reflect.deleteProperty(process.env, name);
    await rm(outdir, { recursive: true });
  });

  const anApp = () => new App({ outdir });
  async function stacksOf(app: App): Promise<Record<string, Stack>> {
    app.synth();
    const names = await readdir(join(outdir, "stacks"));
    const read = async (name: string) =>
      [name, JSON.parse(await readFile(join(outdir, "stacks", name, "cdk.tf.json"), "utf8")) as Stack] as const;
    return Object.fromEntries(await Promise.all(names.map(read)));
  }
  const deploymentOf = (stacks: Record<string, Stack>, stack: string) =>
    resourceOf(stackOf(stacks, stack), "kubernetes_deployment_v1");

  it("are two in one namespace, each with its own bounds and no object of the other", async () => {
    const app = anApp();
    for (const one of [shop, search]) new BlueGreenApp(app, one, { cluster: CLUSTER });
    const stacks = await stacksOf(app);

    expect(Object.keys(stacks).sort()).toEqual(
      ["search", "shop"].flatMap((name) => ["blue", "green", "platform", "traffic"].map((it) => `prod-${name}-${it}`)),
    );
    const bounds = (stack: string) =>
      resourceOf(stackOf(stacks, stack), "kubernetes_horizontal_pod_autoscaler_v2").spec;
    expect(bounds("prod-shop-green")).toMatchObject({ min_replicas: 2, max_replicas: 4 });
    expect(bounds("prod-search-green")).toMatchObject({ min_replicas: 3, max_replicas: 9 });
    const objects = allResources(stacks).map(({ type, resource }) => `${type} ${resource.metadata.name}`);
    expect(objects).toEqual([...new Set(objects)]);
    expect(JSON.stringify(stacks["prod-search-traffic"])).not.toContain("shop");
  });

  it.each([
    ["first", [shop, search]],
    ["last", [search, shop]],
  ])("wait for the namespace when the app that makes it is declared %s", (_, environments) => {
    const app = anApp();
    const apps = environments.map((one) => new BlueGreenApp(app, one, { cluster: CLUSTER }));
    const platformOf = (environment: Environment) => apps.find((one) => one.environment === environment)?.platform;

    expect(platformOf(search)?.dependencies).toEqual([platformOf(shop)]);
    expect(platformOf(shop)?.dependencies).toEqual([]);
  });

  it("are one app in two environments of a cluster, each in its own namespace with its own state", async () => {
    const app = anApp();
    for (const name of ["staging", "prod"]) {
      new BlueGreenApp(app, anEnvironment({ name, namespace: `shop-${name}` }), { cluster: CLUSTER });
    }
    const stacks = await stacksOf(app);

    expect(deploymentOf(stacks, "staging-blue").metadata).toMatchObject({
      name: "mcp-app-blue",
      namespace: "shop-staging",
    });
    expect(deploymentOf(stacks, "prod-blue").metadata).toMatchObject({ name: "mcp-app-blue", namespace: "shop-prod" });
    expect(stackOf(stacks, "prod-blue").terraform.backend).toMatchObject({
      local: { path: expect.stringMatching(/terraform\.prod-blue\.tfstate$/) },
    });
    expect(JSON.stringify(stacks["prod-blue"])).not.toContain("staging");
  });

  it("stage the one that the release names, and leave the pods of the other as they are", async () => {
    set({ STAGE: `green=${PINNED}`, STAGE_MARK: "m-1", STAGE_EPOCH: "7", BLUEGREEN_APP: "prod-search" });
    const app = anApp();
    for (const one of [shop, search]) new BlueGreenApp(app, one, { cluster: CLUSTER });
    const stacks = await stacksOf(app);

    expect(JSON.stringify(deploymentOf(stacks, "prod-search-green"))).toContain(PINNED);
    expect(deploymentOf(stacks, "prod-search-green").lifecycle).toMatchObject({ precondition: [{}, {}] });
    for (const other of ["prod-search-blue", "prod-shop-green", "prod-shop-blue"]) {
      expect(deploymentOf(stacks, other).lifecycle).toEqual({ ignore_changes: ["spec"] });
    }
    expect(printed).toBe(`prod-search: stage: ${PINNED} on green, mark m-1, epoch 7\n`);
  });

  it("keep the context of an environment in another cluster than that of the release", async () => {
    set({ ACTIVATE: "green", BLUEGREEN_APP: "prod", KUBE_CONTEXT: "prod", KUBECONFIG: join(outdir, "none") });
    const app = anApp();
    for (const name of ["staging", "prod"])
      new BlueGreenApp(app, anEnvironment({ name, namespace: "shop", context: name }));
    const stacks = await stacksOf(app);

    for (const name of ["staging", "prod"]) {
      expect(stackOf(stacks, `${name}-blue`).provider.kubernetes[0]).toMatchObject({ config_context: name });
    }
  });

  it("move the traffic of the one that is named", async () => {
    set({ ACTIVATE: "green", BLUEGREEN_APP: "prod-shop" });
    const app = anApp();
    for (const one of [shop, search]) new BlueGreenApp(app, one, { cluster: CLUSTER });
    const stacks = await stacksOf(app);
    const ignored = (name: string) =>
      resourceOf(stackOf(stacks, `prod-${name}-traffic`), "kubernetes_service_v1", name).lifecycle;

    expect([ignored("shop"), ignored("search")]).toEqual([undefined, { ignore_changes: ["spec[0].selector"] }]);
  });

  it("refuse a change that does not say which of them it is for", () => {
    set({ STAGE: `green=${PINNED}` });
    const app = anApp();
    new BlueGreenApp(app, shop, { cluster: CLUSTER });

    expect(() => new BlueGreenApp(app, search, { cluster: CLUSTER })).toThrow(
      "this App has several apps, 'prod-shop' and 'prod-search': say which one is meant with BLUEGREEN_APP",
    );
  });

  it("refuse a change for an app that is not among them", () => {
    set({ ACTIVATE: "green", BLUEGREEN_APP: "prod-shpo" });
    const app = anApp();
    new BlueGreenApp(app, shop, { cluster: CLUSTER });

    expect(() => {
      app.synth();
    }).toThrow("BLUEGREEN_APP names 'prod-shpo', and this App has 'prod-shop'");
  });

  it("refuse an image without a digest where images must be pinned", () => {
    set({ STAGE: "green=registry.example.com/mcp-app:2" });
    const pinned = anEnvironment({ app: { ...local.app, image: PINNED, imagePolicy: "digest" } });

    expect(() => new BlueGreenApp(anApp(), pinned, { cluster: CLUSTER })).toThrow("is not pinned");
  });

  it("refuse a scope inside a stack, whose pending changes a release would apply", () => {
    const stack = new TerraformStack(anApp(), "theirs");

    expect(() => new BlueGreenApp(stack as never, shop, { cluster: CLUSTER })).toThrow(
      "'prod-shop' needs the cdktf App itself as its scope, not the stack 'theirs'",
    );
    expect(() => new BlueGreenApp(new Construct(stack, "part") as never, shop)).toThrow("not another construct");
  });

  it("refuse a stack name that the App has already, also one that is added later", () => {
    const app = anApp();
    new TerraformStack(app, "prod-shop-green");
    expect(() => new BlueGreenApp(app, shop, { cluster: CLUSTER })).toThrow("has a stack 'prod-shop-green' already");

    const later = anApp();
    new BlueGreenApp(later, shop, { cluster: CLUSTER });
    new TerraformStack(new Construct(later, "group"), "prod-shop-green");
    expect(() => {
      later.synth();
    }).toThrow("two stacks are called 'prod-shop-green'");
  });

  it("refuse two that would write to the same objects of one cluster", () => {
    const app = anApp();
    new BlueGreenApp(app, shop, { cluster: CLUSTER });
    const same = (of: Partial<EnvironmentInput>) => () =>
      new BlueGreenApp(app, anEnvironment(of), { cluster: CLUSTER });

    expect(same({ name: "other", namespace: "shared", app: { ...local.app, name: "shop" } })).toThrow(
      "'other-shop' and 'prod-shop' both call their objects 'shop' in the namespace 'shared'",
    );
    expect(same({ name: "other", namespace: "shared" })).toThrow(
      "'other' and 'prod-shop' both make the namespace 'shared': set createNamespace to false for one",
    );
    const elsewhere = { files: ["/kube/config"], context: "elsewhere" };
    const again = anEnvironment({ name: "again", namespace: "shared", app: { ...local.app, name: "shop" } });
    expect(() => new BlueGreenApp(app, again, { cluster: elsewhere })).not.toThrow();
  });

  it("expose the resources, whose fields a user may override", async () => {
    const app = anApp();
    const { green, traffic } = new BlueGreenApp(app, shop, { cluster: CLUSTER });
    green.pods.deployment.addOverride("spec.progress_deadline_seconds", 60);
    traffic.live.service.addOverride("spec.ip_families", ["IPv6"]);
    const stacks = await stacksOf(app);

    expect(deploymentOf(stacks, "prod-shop-green").spec).toMatchObject({ progress_deadline_seconds: 60 });
    expect(resourceOf(stackOf(stacks, "prod-shop-traffic"), "kubernetes_service_v1", "shop").spec).toMatchObject({
      ip_families: ["IPv6"],
    });
  });
});

describe("an environment with a value of another stack", () => {
  it("is refused with the path of each such value and with what to write instead", () => {
    const app = {
      ...local.app,
      image: Token.asString({ image: "x" }),
      settings: { URL: `http://${Token.asString({})}` },
    };
    const scaling = { replicas: Token.asNumber({ count: 1 }) };

    expect(() => environment({ ...local, app, scaling: scaling })).toThrow(
      /app\.image: is a value of another resource.*\n {2}app\.settings\.URL: is a value.*\n {2}scaling\.replicas: is a value/,
    );
  });
});

describe("two colors of two apps in one stack", () => {
  it("read the live Service of their own app during the apply", () => {
    const app = new App();
    const stack = new TerraformStack(app, "theirs");
    for (const environment of [shop, search]) {
      const names = namesOf(environment.app.name);
      const pod = podProps(environment, names);
      const release = { mark: environment.app.name, epoch: 1 };
      const props = {
        names,
        namespace: environment.namespace,
        color: "blue",
        image: PINNED,
        pod,
        staged: true,
        release,
      } as const;
      new ColorDeployment(stack, environment.app.name, props);
    }
    const { data, resource } = stack.toTerraform() as unknown as Stack;
    const services = Object.entries(data?.kubernetes_service_v1 ?? {});

    expect(services.map(([, { metadata }]) => JSON.stringify(metadata))).toEqual([
      expect.stringContaining("shop"),
      expect.stringContaining("search"),
    ]);
    for (const [index, deployment] of Object.values(resource.kubernetes_deployment_v1 ?? {}).entries()) {
      const conditions = deployment.lifecycle?.precondition?.map(({ condition }) => condition) ?? [];
      expect(conditions[0]).toContain(`data.kubernetes_service_v1.${services[index]?.[0] ?? "none"}.`);
      expect(conditions[1]).toContain(`data.kubernetes_service_v1.${services[index]?.[0] ?? "none"}.`);
    }
  });
});
