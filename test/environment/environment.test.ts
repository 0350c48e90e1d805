import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { environment, InvalidEnvironment } from "../../environment/environment.ts";
import { environmentNames, loadEnvironment } from "../../environment/load.ts";
import { projectFolder } from "../../environment/project.ts";
import local from "../../environments/local.ts";

/** A user's file is not always what its type says. */
const check = (change: Record<string, unknown>) => environment({ ...local, ...change });

function problems(change: Record<string, unknown>): string[] {
  try {
    check(change);
    return [];
  } catch (error) {
    return error instanceof InvalidEnvironment ? error.message.split("\n") : [String(error)];
  }
}

const PINNED = `registry.example.com/mcp-app@sha256:${"1".repeat(64)}`;

describe("an environment", () => {
  it.each([
    ["a misspelt key", { nmespace: "a" }, "(top level): there is no 'nmespace' here; did you mean 'namespace'?"],
    [
      "a misspelt key further down",
      { release: { ...local.release, bake: { ...local.release.bake, interval: 2 } } },
      "release.bake: there is no 'interval' here; there are: maxErrorRatio, maxP95Ms, durationSeconds",
    ],
    [
      "a limit between two bounds of the bundled app's histogram",
      { release: { ...local.release, bake: { ...local.release.bake, maxP95Ms: 333 } } },
      "release.bake.maxP95Ms: must be a bound of the app's histogram",
    ],
    [
      "a minimum above the maximum",
      { scaling: { ...local.scaling, minReplicas: 5 } },
      "scaling.minReplicas: minReplicas (5) must be at most maxReplicas (4)",
    ],
    [
      "an image without a digest",
      { app: { ...local.app, imagePolicy: "digest" } },
      "app.image: 'localhost/mcp-app:1.0.0' is not pinned: add its digest ('…@sha256:' and 64 hex digits), or set imagePolicy to 'any'",
    ],
    [
      "a digest that is cut short",
      { app: { ...local.app, image: "app@sha256:12" } },
      "app.image: 'app@sha256:12' is not an image reference",
    ],
    [
      "a setting that is no variable's name",
      { app: { ...local.app, settings: { "log-level": "info" } } },
      "app.settings.log-level: 'log-level' is not an environment variable's name: letters, digits and '_', with no digit first: write 'log_level'",
    ],
    [
      "nothing about who may call",
      { app: { ...local.app, settings: { AUTH_ISSUER: "https://login.example" } } },
      "app.settings: must say who may call: AUTH_AUDIENCE, AUTH_JWKS_URL, or AUTH_MODE 'off' for anybody who reaches the port",
    ],
    [
      "a secret among the settings",
      { app: { ...local.app, settings: { REQUEST_STATE_KEY: "x" } } },
      "app.settings.REQUEST_STATE_KEY: cannot be set here: it is a secret; see app.requestStateKeyRevisions",
    ],
    [
      "Redis's URL among the settings",
      { app: { ...local.app, settings: { REDIS_URL: "redis://user:secret@host" } } },
      "app.settings.REDIS_URL: cannot be set here: it is a secret; see app.redis",
    ],
    [
      "a folder for data that no volume is behind",
      { app: { ...local.app, settings: { DATA_DIR: "/tmp" } } },
      "app.settings.DATA_DIR: cannot be set here: use app.dataVolume",
    ],
    [
      "an address range that is none",
      { app: { ...local.app, redis: { cidr: "10.0.0.0" } } },
      "app.redis.cidr: must be an address range such as '10.0.0.0/16', not '10.0.0.0'",
    ],
    [
      "a node port without NodePort",
      { service: { type: "ClusterIP", nodePort: 30080 } },
      "service: there is no 'nodePort'",
    ],
    ["a name that is not a DNS label", { name: "My_Env" }, "name: 'My_Env' is not a name: lower-case letters"],
    [
      "a quantity in bytes",
      { app: { ...local.app, resources: { requests: { memory: "512MB" } } } },
      "app.resources.requests.memory: '512MB' is not a quantity: write '512Mi' (powers of 1024) or '512M'",
    ],
    [
      "an image with capital letters",
      { app: { ...local.app, image: "MyRegistry/App:1" } },
      "app.image: 'MyRegistry/App:1' is not an image reference",
    ],
    [
      "a request above its limit, in whatever form",
      { app: { ...local.app, resources: { requests: { cpu: "2" }, limits: { cpu: "1500m" } } } },
      "app.resources.requests.cpu: the request '2' must be at most the limit '1500m'",
    ],
    [
      "a number where text is due",
      { app: { ...local.app, settings: { AUTH_MODE: "off", MAX: 3 } } },
      'app.settings.MAX: must be text: write "3" in quotes',
    ],
    [
      "a boolean where text is due",
      { app: { ...local.app, settings: { AUTH_MODE: "off", ON: true } } },
      'app.settings.ON: must be text: write "true" in quotes',
    ],
    [
      "text where a number is due",
      { scaling: { ...local.scaling, maxReplicas: "4" } },
      "scaling.maxReplicas: must be a number: write 4 without quotes",
    ],
    ["nothing where a group is due", { app: undefined }, "app: is missing: the image, its settings and its resources"],
    [
      "a type that does not exist",
      { service: { type: "Ingress" } },
      "service.type: must be 'ClusterIP' or 'NodePort' or 'LoadBalancer', not 'Ingress'",
    ],
  ])("with %s is refused, saying where and why", (_, change, message) => {
    expect(() => check(change)).toThrow(InvalidEnvironment);
    expect(() => check(change)).toThrow(message);
  });

  it("says all that is wrong at once, a line each, also across fields", () => {
    const wrong = {
      namespace: "",
      colour: "blue",
      app: { ...local.app, image: "app:1", imagePolicy: "digest", settings: { AUTH_MODE: "jwt", DATA_DIR: "/tmp" } },
      scaling: { ...local.scaling, requestsPerPod: 0, minReplicas: 5 },
    };

    expect(problems(wrong)).toEqual([
      "environment 'local' is not valid:",
      expect.stringContaining("  namespace: '' is not a DNS label"),
      "  scaling.requestsPerPod: must be more than 0, not 0",
      expect.stringContaining("  (top level): there is no 'colour' here; there are: name, namespace, "),
      expect.stringContaining("  app.image: 'app:1' is not pinned"),
      expect.stringContaining("  app.settings: must say who may call"),
      "  app.settings.DATA_DIR: cannot be set here: use app.dataVolume",
      "  scaling.minReplicas: minReplicas (5) must be at most maxReplicas (4)",
    ]);
  });

  it("checks all settings in one round although the quotes of some are missing", () => {
    const settings = { MAX_ITEMS: 20, PGPASSWORD: "hunter2", DRAIN_TIMEOUT: 20, TOOLS: true };

    expect(problems({ app: { ...local.app, settings } })).toEqual([
      "environment 'local' is not valid:",
      '  app.settings.MAX_ITEMS: must be text: write "20" in quotes',
      '  app.settings.DRAIN_TIMEOUT: must be text: write "20" in quotes',
      '  app.settings.TOOLS: must be text: write "true" in quotes',
      expect.stringContaining("  app.settings: must say who may call: AUTH_ISSUER, AUTH_AUDIENCE, AUTH_JWKS_URL"),
      expect.stringContaining("  app.settings: TOOLS: there is no bundled tool 'true'"),
      expect.stringContaining("  app.settings.PGPASSWORD: looks like a secret"),
      "  app.settings.DRAIN_TIMEOUT: must be a whole number and a unit ('500ms', '20s', '5m'), not '20'",
    ]);
  });

  it("is the same when it is checked again: a file may start from another environment", () => {
    expect(environment(local)).toEqual(local);
  });

  it("may run an image that no registry holds if it says so, and any image that is pinned", () => {
    expect(check({}).app.image).toBe("localhost/mcp-app:1.0.0");
    expect(check({ app: { ...local.app, imagePolicy: "digest", image: PINNED } }).app.image).toBe(PINNED);
  });
});

describe("loading an environment", () => {
  it("finds every one that exists by its name", async () => {
    expect((await environmentNames()).sort()).toEqual(["local", "production", "staging"]);
    for (const name of await environmentNames()) expect((await loadEnvironment(name)).name).toBe(name);
  });

  it("lists those that exist when it finds none", async () => {
    await expect(loadEnvironment("nope")).rejects.toThrow("there are: local, production, staging");
  });

  describe("in a project of a user", () => {
    let project: string;
    beforeEach(async () => {
      project = await mkdtemp(join(tmpdir(), "project-"));
    });
    afterEach(() => rm(project, { recursive: true }));

    it("finds the project upwards from where the user stands, and its environments", async () => {
      await mkdir(join(project, "environments"));
      await mkdir(join(project, "src/deep"), { recursive: true });
      await writeFile(join(project, "cdktf.json"), "{}");
      await writeFile(join(project, "environments/mine.ts"), "");

      expect(projectFolder(join(project, "src/deep"))).toBe(project);
      expect(await environmentNames(join(project, "src/deep"))).toEqual(["mine"]);
      await expect(loadEnvironment("local", join(project, "src"))).rejects.toThrow("there are: mine");
    });

    it("says how to get a project where there is none, and where to write an environment", async () => {
      await expect(loadEnvironment("local", project)).rejects.toThrow(
        `there is no cdktf.json in '${project}' or above it: go to the folder of your project, or make one with`,
      );
      await writeFile(join(project, "cdktf.json"), "{}");
      await expect(loadEnvironment("local", project)).rejects.toThrow(
        `there is no environment in '${project}/environments': write one there`,
      );
    });
  });
});
