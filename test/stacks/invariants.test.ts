import { describe, expect, it } from "@jest/globals";
import local from "../../environments/local.ts";
import production from "../../environments/production.ts";
import staging from "../../environments/staging.ts";
import { COLOR_LABEL, WANTED_SETTINGS_KEY } from "../../environment/names.ts";
import { colorLabels, colorName, LIVE_SERVICE, PREVIEW_SERVICE } from "../default-names.ts";
import { COLORS, other } from "../../environment/color.ts";
import { allResources, localWith, resourceOf, stackOf, synthesize } from "./synthesized.ts";

const DEPLOYMENT = "kubernetes_deployment_v1";
const SERVICE = "kubernetes_service_v1";
const ACCOUNT = "kubernetes_service_account_v1";
const AUTOSCALER = "kubernetes_horizontal_pod_autoscaler_v2";
const IMAGE = `registry.example.com/mcp-app@sha256:${"1".repeat(64)}`;

const ignored = (stacks: ReturnType<typeof synthesize>) =>
  Object.fromEntries(
    allResources(stacks)
      .filter(({ type, resource }) => type !== ACCOUNT && resource.lifecycle?.ignore_changes !== undefined)
      .map(({ resource }) => [resource.metadata.name, resource.lifecycle?.ignore_changes]),
  );

describe("invariant 1: a bare deploy never moves traffic and never changes a pod", () => {
  it("ignores exactly the spec of each Deployment and the selector of the live and the preview Service", () => {
    expect(ignored(synthesize())).toEqual({
      [colorName("blue")]: ["spec"],
      [colorName("green")]: ["spec"],
      [LIVE_SERVICE]: ["spec[0].selector"],
      [PREVIEW_SERVICE]: ["spec[0].selector"],
    });
  });

  it.each(COLORS)("writes the pods of %s, and nothing else that it ignored, when that color is staged", (color) => {
    const stacks = synthesize(local, { stage: { color, image: IMAGE } });

    expect(Object.keys(ignored(stacks)).sort()).toEqual(
      [LIVE_SERVICE, colorName(other(color)), PREVIEW_SERVICE].sort(),
    );
    expect(JSON.stringify(stackOf(stacks, color))).toContain(IMAGE);
    expect(JSON.stringify(stackOf(stacks, other(color)))).not.toContain(IMAGE);
  });

  it.each(COLORS)("writes the live selector, and nothing else that it ignored, when %s is activated", (color) => {
    const stacks = synthesize(local, { activate: color });

    expect(Object.keys(ignored(stacks)).sort()).toEqual([...COLORS.map(colorName), PREVIEW_SERVICE].sort());
    expect(resourceOf(stackOf(stacks, "traffic"), SERVICE, LIVE_SERVICE).spec.selector).toEqual(colorLabels(color));
  });

  it("shows what waits: a changed setting changes the wanted settings and, outside the ignored specs, nothing", () => {
    const before = synthesize();
    const after = synthesize(localWith({ settings: { LOG_LEVEL: "debug" } }));

    expect(withoutSpecs(after)).toEqual(withoutSpecs(before));
    const { data } = resourceOf(stackOf(after, "platform"), "kubernetes_config_map_v1");
    expect((data as Record<string, string>)[WANTED_SETTINGS_KEY]).toContain('{"name":"LOG_LEVEL","value":"debug"}');
  });
});

describe("invariant 2: no plan changes the Deployment of the live color", () => {
  it.each(COLORS)("leaves the replicas of %s to its autoscaler, staged or not", (color) => {
    for (const stage of [undefined, { color, image: IMAGE }]) {
      expect(resourceOf(stackOf(synthesize(local, { stage }), color), DEPLOYMENT).spec).not.toHaveProperty("replicas");
    }
  });

  it("keeps everything that depends on the image or the settings inside the spec", () => {
    const staged = { stage: { color: "green", image: IMAGE } } as const;
    const changed = synthesize(
      localWith({ settings: {}, resources: { requests: { cpu: "1", memory: "1Gi" }, limits: {} } }),
      staged,
    );

    expect(outsideSpec(changed)).toEqual(outsideSpec(synthesize()));
  });

  it.each(COLORS)("fails a plan that stages %s while it holds the traffic", (color) => {
    const stack = stackOf(synthesize(local, { stage: { color, image: IMAGE } }), color);

    const [precondition] = resourceOf(stack, DEPLOYMENT).lifecycle?.precondition ?? [];
    expect(precondition?.condition).toContain(`selector["${COLOR_LABEL}"]`);
    expect(precondition?.condition).toContain(`!= "${color}"`);
    expect(precondition?.error_message).toContain(`${color} holds the traffic`);
    expect(stack.data).toMatchObject({ [SERVICE]: { live: { metadata: { name: LIVE_SERVICE } } } });
  });

  it("asks for no such look at the cluster otherwise", () => {
    for (const stack of Object.values(synthesize())) expect(stack.data).toBeUndefined();
  });
});

describe("invariant 3: moving traffic changes exactly one object", () => {
  it.each(COLORS)("changes the live Service's selector and nothing else when %s is activated", (color) => {
    const [before, after] = [synthesize(local, { activate: other(color) }), synthesize(local, { activate: color })];

    const without = (stacks: typeof before) =>
      allResources(stacks).filter(({ resource }) => resource.metadata.name !== LIVE_SERVICE);
    // The preview Service is created with the other color and ignored from then on.
    const preview = ({ resource }: { resource: { metadata: { name: string } } }) =>
      resource.metadata.name !== PREVIEW_SERVICE;
    expect(without(after).filter(preview)).toEqual(without(before).filter(preview));
    expect(ignored(after)[PREVIEW_SERVICE]).toEqual(["spec[0].selector"]);
  });
});

describe("invariant 4: both colors have the same capacity to grow into", () => {
  it.each([local, staging, production])("gives both colors of $name the environment's minimum and maximum", (of) => {
    const stacks = synthesize(of);
    for (const color of COLORS) {
      expect(resourceOf(stackOf(stacks, color), AUTOSCALER).spec).toMatchObject({
        min_replicas: of.scaling.minReplicas,
        max_replicas: of.scaling.maxReplicas,
      });
    }
  });

  it("does not ignore the minimum: a release that raised it restores it", () => {
    for (const color of COLORS) {
      expect(resourceOf(stackOf(synthesize(), color), AUTOSCALER).lifecycle?.ignore_changes).toBeUndefined();
    }
  });
});

describe("invariant 5: native resources only", () => {
  it.each([local, staging, production])("uses versioned classes and no manifest in $name", (of) => {
    const stacks = synthesize(of);
    const types = new Set(allResources(stacks).map(({ type }) => type));

    expect(types.size).toBeGreaterThan(8);
    for (const type of types) expect(type).toMatch(/^kubernetes_[a-z_]+_v[12]$/);
    expect(JSON.stringify(stacks)).not.toContain("kubernetes_manifest");
  });

  it("names the provider by its full address and exact version in every stack", () => {
    for (const { terraform } of Object.values(synthesize())) {
      expect(terraform.required_providers).toEqual({
        kubernetes: { source: "registry.terraform.io/hashicorp/kubernetes", version: "2.38.0" },
      });
    }
  });
});

describe("invariant 11: configuration is versioned with its color", () => {
  const platform = (requestStateKeyRevisions: number[]) =>
    stackOf(synthesize(localWith({ requestStateKeyRevisions })), "platform");

  it("keeps a Secret for each declared revision, named by the revision, so that no color loses the one it names", () => {
    const names = Object.values(platform([1, 2]).resource.kubernetes_secret_v1 ?? {}).map((it) => it.metadata.name);

    expect(names).toEqual(["mcp-request-state-r1", "mcp-request-state-r2"]);
  });

  it("gives new pods the highest revision", () => {
    const { green } = synthesize(localWith({ requestStateKeyRevisions: [3, 2] }));

    expect(JSON.stringify(green)).toContain("mcp-request-state-r3");
    expect(JSON.stringify(green)).not.toContain("mcp-request-state-r2");
  });

  it("does the same with Redis's URL, and writes none of it where there is no Redis", () => {
    const redis = { urlRevisions: [1, 2], port: 6379, cluster: false };
    const { variable, resource } = stackOf(synthesize(localWith({ redis })), "platform");
    const secrets = Object.values(resource.kubernetes_secret_v1 ?? {}).map(({ metadata }) => metadata.name);

    expect(secrets).toEqual(["mcp-redis-url-r1", "mcp-redis-url-r2", "mcp-request-state-r1"]);
    expect(variable).toMatchObject({ redis_url: { ephemeral: true, sensitive: true, default: null } });
    expect(JSON.stringify(synthesize())).not.toMatch(/redis/i);
  });

  it("puts plain settings into the pod template and mounts no ConfigMap", () => {
    const template = JSON.stringify(resourceOf(stackOf(synthesize(), "blue"), DEPLOYMENT).spec);

    expect(template).toContain('{"name":"LOG_LEVEL","value":"info"}');
    expect(template).not.toMatch(/config_map/);
  });

  it("takes the Secret's value from a variable that Terraform keeps nowhere, and writes it through a write-only argument", () => {
    const { variable, resource } = platform([1]);

    expect(variable).toMatchObject({ request_state_key: { ephemeral: true, sensitive: true, default: null } });
    const secret = Object.values(resource.kubernetes_secret_v1 ?? {})[0];
    expect(secret).toMatchObject({ data_wo_revision: 1 });
    expect(secret?.data_wo).toContain("var.request_state_key");
    expect(secret).not.toHaveProperty("data");
  });
});

describe("invariant 12: every image is a parameter, pinned by digest", () => {
  it.each([staging, production])("runs only the pinned image that $name names", (of) => {
    const images = JSON.stringify(synthesize(of)).matchAll(/"image":"([^"]+)"/g);

    expect(new Set(Array.from(images, ([, image]) => image))).toEqual(new Set([of.app.image]));
    expect(of.app.image).toMatch(/@sha256:[0-9a-f]{64}$/);
  });
});

/** The Deployment of green, without what a release decides and whether it does. */
function outsideSpec(stacks: ReturnType<typeof synthesize>) {
  return { ...resourceOf(stackOf(stacks, "green"), DEPLOYMENT), spec: undefined, lifecycle: undefined };
}

function withoutSpecs(stacks: ReturnType<typeof synthesize>) {
  return allResources(stacks)
    .filter(({ type }) => type !== "kubernetes_config_map_v1")
    .map(({ type, resource }) => (type === DEPLOYMENT ? { ...resource, spec: "ignored" } : resource));
}
