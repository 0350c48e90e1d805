import { execFileSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, jest } from "@jest/globals";
import { deletionsInUse, haveDeployments, inWords } from "../../plans/deletions.ts";
import { namedObjects } from "../../plans/named-objects.ts";
import { planSchema } from "../../plans/plan.ts";

const metadata = (name: string, namespace = "mcp") => [{ name, namespace }];

/** A Deployment in Terraform's JSON, whose pods name one object of each kind. */
const deployment = (name: string, { secret = "login", namespace = "mcp" } = {}) => ({
  metadata: metadata(name, namespace),
  spec: [
    {
      template: [
        {
          spec: [
            {
              service_account_name: "reader",
              image_pull_secrets: [{ name: "registry" }],
              container: [
                {
                  env: [
                    { name: "A", value: "config_map_ref" },
                    {
                      name: "B",
                      value_from: [{ secret_key_ref: [{ name: secret, key: "key" }], config_map_key_ref: [] }],
                    },
                  ],
                  env_from: [{ config_map_ref: [{ name: "settings" }], secret_ref: [] }],
                },
              ],
              volume: [
                { name: "files", secret: [{ secret_name: "files" }] },
                { name: "notes", persistent_volume_claim: [{ claim_name: "notes" }], config_map: [] },
                { name: "all", projected: [{ sources: [{ secret: [{ name: "projected" }] }] }] },
              ],
            },
          ],
        },
      ],
    },
  ],
});

const change = (type: string, actions: readonly string[], before: object | null, after: object | null = null) => ({
  address: `${type}.x`,
  mode: "managed",
  type,
  change: { actions, before, after },
});

const planOf = (...resource_changes: object[]) => planSchema.parse({ format_version: "1.2", resource_changes });

const unchanged = (name: string, options = {}) =>
  change("kubernetes_deployment_v1", ["no-op"], deployment(name, options), deployment(name, options));

const COLORS = planOf(unchanged("mcp-app-blue"), unchanged("mcp-app-green", { secret: "login-r2" }));

describe("the objects that a pod names", () => {
  it("are found in Terraform's JSON and in that of the API", () => {
    const expected = [
      { kind: "ConfigMap", name: "settings" },
      { kind: "PersistentVolumeClaim", name: "notes" },
      { kind: "Secret", name: "files" },
      { kind: "Secret", name: "login" },
      { kind: "Secret", name: "projected" },
      { kind: "Secret", name: "registry" },
      { kind: "ServiceAccount", name: "reader" },
    ];
    const inApi = {
      spec: {
        serviceAccountName: "reader",
        imagePullSecrets: [{ name: "registry" }],
        containers: [
          {
            env: [{ name: "B", valueFrom: { secretKeyRef: { name: "login", key: "key" } } }],
            envFrom: [{ configMapRef: { name: "settings" } }],
          },
        ],
        volumes: [
          { name: "files", secret: { secretName: "files" } },
          { name: "notes", persistentVolumeClaim: { claimName: "notes" } },
          { name: "all", projected: { sources: [{ secret: { name: "projected" } }] } },
        ],
      },
    };

    expect(namedObjects(deployment("x"))).toEqual(expected);
    expect(namedObjects(inApi)).toEqual(expected);
  });
});

describe("deletions in use", () => {
  it.each([
    ["kubernetes_secret_v1", "login", ["mcp-app-blue"]],
    ["kubernetes_secret_v1", "registry", ["mcp-app-blue", "mcp-app-green"]],
    ["kubernetes_config_map", "settings", ["mcp-app-blue", "mcp-app-green"]],
    ["kubernetes_persistent_volume_claim_v1", "notes", ["mcp-app-blue", "mcp-app-green"]],
    ["kubernetes_service_account_v1", "reader", ["mcp-app-blue", "mcp-app-green"]],
  ])("are those of a %s '%s' that a Deployment of another stack names", (type, name, usedBy) => {
    const platform = planOf(change(type, ["delete"], { metadata: metadata(name) }));

    expect(deletionsInUse([platform, COLORS])).toMatchObject([{ address: `${type}.x`, usedBy }]);
  });

  it("are also replacements, whose old object goes", () => {
    const before = { metadata: metadata("notes") };
    const claim = change("kubernetes_persistent_volume_claim_v1", ["delete", "create"], before, before);

    expect(deletionsInUse([planOf(claim), COLORS])).toHaveLength(1);
  });

  it("are none of objects that no Deployment names, of other namespaces, and of changes in place", () => {
    const secret = "kubernetes_secret_v1";
    const platform = planOf(
      change(secret, ["delete"], { metadata: metadata("unused") }),
      change(secret, ["delete"], { metadata: metadata("login", "other") }),
      change(secret, ["update"], { metadata: metadata("login") }, { metadata: metadata("login") }),
      change(secret, ["create"], null, { metadata: metadata("login") }),
    );

    expect(deletionsInUse([platform, COLORS])).toEqual([]);
  });

  it("count what a Deployment names until the apply, and what it names after it", () => {
    const update = change(
      "kubernetes_deployment_v1",
      ["update"],
      deployment("mcp-app-blue", { secret: "old" }),
      deployment("mcp-app-blue", { secret: "new" }),
    );
    const deleted = (name: string) => planOf(change("kubernetes_secret_v1", ["delete"], { metadata: metadata(name) }));

    for (const name of ["old", "new"]) expect(deletionsInUse([deleted(name), planOf(update)])).toHaveLength(1);
  });

  it("are none when the Deployments go, too", () => {
    const gone = change("kubernetes_deployment_v1", ["delete"], deployment("mcp-app-blue"));
    const secret = change("kubernetes_secret_v1", ["delete"], { metadata: metadata("login") });

    expect(deletionsInUse([planOf(secret, gone)])).toEqual([]);
  });

  it("are told with what to do, and need a Deployment to be judged by", () => {
    const secret = change("kubernetes_secret_v1", ["delete"], { metadata: metadata("login") });
    const [found] = deletionsInUse([planOf(secret), COLORS]);

    expect(found && inWords(found)).toBe(
      "'kubernetes_secret_v1.x' would delete Secret 'login' in namespace 'mcp', which Deployment 'mcp-app-blue' still names: " +
        "keep it in the environment until a release has replaced the pods of that color",
    );
    expect([haveDeployments([planOf(secret)]), haveDeployments([COLORS])]).toEqual([false, true]);
  });
});

// Six processes, one after the other.
jest.setTimeout(60_000);

describe("the check of a deploy's plans", () => {
  it("ends with 1 for a deletion in use, 0 for none, and 2 for what is no set of plans", async () => {
    const folder = await mkdtemp(join(tmpdir(), "plans-"));
    const write = async (name: string, plan: unknown) => {
      await writeFile(join(folder, name), JSON.stringify(plan));
      return join(folder, name);
    };
    const colors = await write("colors.json", COLORS);
    const secret = change("kubernetes_secret_v1", ["delete"], { metadata: metadata("login") });
    const platform = await write("platform.json", planOf(secret));
    const nothing = await write("nothing.json", planOf());
    const noPlan = await write("no-plan.json", { resources: [] });

    expect(check(platform, colors)).toMatchObject({
      status: 1,
      printed: expect.stringContaining("would delete Secret 'login'"),
    });
    expect(check(nothing, colors)).toEqual({ status: 0, printed: "" });
    expect(check(platform)).toMatchObject({
      status: 2,
      printed: expect.stringContaining("give the plans of all stacks"),
    });
    expect(check(noPlan)).toMatchObject({ status: 2, printed: expect.stringContaining("is no plan") });
    expect(check(join(folder, "absent.json"))).toMatchObject({
      status: 2,
      printed: expect.stringContaining("absent.json"),
    });
    expect(check("--unknown")).toMatchObject({ status: 2, printed: expect.stringContaining("see --help") });
    await rm(folder, { recursive: true });
  });

  function check(...args: string[]) {
    try {
      execFileSync(process.execPath, ["plans/check.ts", ...args], { stdio: "pipe", encoding: "utf8" });
      return { status: 0, printed: "" };
    } catch (error) {
      const { status, stderr } = error as { status: number; stderr: string };
      return { status, printed: stderr };
    }
  }
});
