import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it, jest } from "@jest/globals";
import { checkStagedImage, describeInputs, readInputs } from "../../stacks/inputs.ts";
import production from "../../environments/production.ts";
import type { Stack } from "./synthesized.ts";

const PINNED = `registry.example.com/mcp-app@sha256:${"1".repeat(64)}`;

describe("the inputs of a synth", () => {
  it("are an environment and nothing to do when none is given, or when all are empty", () => {
    const nothing = { environment: "local" };

    expect(readInputs({})).toEqual(nothing);
    expect(readInputs({ ENVIRONMENT: "", STAGE: "", ACTIVATE: "" })).toEqual(nothing);
  });

  it("come from variables, which cdktf passes on", () => {
    expect(readInputs({ ENVIRONMENT: "staging", STAGE: `green=${PINNED}`, ACTIVATE: "blue" })).toEqual({
      environment: "staging",
      stage: { color: "green", image: PINNED },
      activate: "blue",
    });
  });

  it("are shown, a line each, with the cluster", () => {
    const given = readInputs({ STAGE: `green=${PINNED}`, ACTIVATE: "blue" });

    expect(describeInputs(given, { kind: "context", files: ["/a", "/b"], context: "c" })).toEqual([
      "environment: local",
      "cluster: context 'c' of /a:/b",
      `stage: ${PINNED} on green, by an operator: without a mark and without a fence`,
      "activate: blue",
    ]);
    expect(describeInputs(readInputs({}), { kind: "own" })).toContain("cluster: the one that this pod runs in");
    expect(describeInputs(readInputs({}), { kind: "none", files: ["/a"] })).toContain(
      "cluster: none yet; /a does not exist",
    );
  });

  it.each([
    ["a stage without an image", { STAGE: "green" }, "stage must be <color>=<image>"],
    ["a color that does not exist", { STAGE: "pink=app:1" }, "stage must name a color, blue or green, not 'pink'"],
    ["a color that does not exist, to activate", { ACTIVATE: "red" }, "activate must name a color"],
    ["to stage and activate one color", { STAGE: "green=a:1", ACTIVATE: "green" }, "name the same color, 'green'"],
  ])("are refused for %s", (_, variables, message) => {
    expect(() => readInputs(variables)).toThrow(message);
  });

  it("name the release that stages by its mark and the epoch of its lease, or an operator by neither", () => {
    const release = { STAGE_MARK: "0b8e-1", STAGE_EPOCH: "7" };

    const { stage } = readInputs({ STAGE: `green=${PINNED}`, ...release });
    expect(stage).toEqual({ color: "green", image: PINNED, release: { mark: "0b8e-1", epoch: 7 } });
    expect(readInputs({ STAGE: `green=${PINNED}`, STAGE_MARK: "0b8e-1", STAGE_EPOCH: "7" }).stage).toEqual(stage);
    expect(readInputs({ STAGE: `green=${PINNED}` }).stage).toEqual({ color: "green", image: PINNED });
  });

  it.each([
    ["a mark without an epoch", { STAGE: "green=app:1", STAGE_MARK: "m" }, "must be given together"],
    ["an epoch of 0", { STAGE: "green=app:1", STAGE_MARK: "m", STAGE_EPOCH: "0" }, "above 0, not '0'"],
    [
      "a mark that Terraform would evaluate",
      { STAGE: "green=app:1", STAGE_MARK: "${x}", STAGE_EPOCH: "1" },
      "stage-mark must be letters",
    ],
    ["a mark without a stage", { STAGE_MARK: "m", STAGE_EPOCH: "1" }, "belong to a stage"],
  ])("are refused for %s", (_, variables, message) => {
    expect(() => readInputs(variables)).toThrow(message);
  });

  it("are refused for an image without a digest where images must be pinned", () => {
    expect(() => {
      checkStagedImage(readInputs({ STAGE: "green=app:2" }), production);
    }).toThrow("stage: 'app:2' is not pinned");
    expect(() => {
      checkStagedImage(readInputs({ STAGE: `green=${PINNED}` }), production);
    }).not.toThrow();
  });
});

describe("mcp-bluegreen synth", () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "synth-"));
  });
  afterAll(() => rm(directory, { recursive: true }));

  const synth = (...args: string[]) => run(args, directory);
  const providers = async (environment: string) => {
    const file = join(directory, "cdktf.out", "stacks", `${environment}-traffic`, "cdk.tf.json");
    return (JSON.parse(await readFile(file, "utf8")) as Stack).provider.kubernetes;
  };
  jest.setTimeout(30_000);

  it("writes every stack of an environment and says what it was told", async () => {
    const { code, stderr } = await synth("--environment", "staging", "--activate", "green");

    expect(code).toBe(0);
    expect(stderr).toContain("environment: staging\n");
    expect(stderr).toContain("activate: green\n");
  });

  it("gives Terraform the files that exist, from where the user stands, and the context by its name", async () => {
    const kubeconfig = {
      "current-context": "c",
      contexts: [{ name: "c", context: { cluster: "c", user: "u" } }],
      clusters: [{ name: "c", cluster: { server: "https://api.example.com" } }],
      users: [{ name: "u", user: { token: "t" } }],
    };
    await writeFile(join(directory, "kubeconfig"), JSON.stringify(kubeconfig));
    const variables = { KUBECONFIG: "missing:kubeconfig", ...calledFrom(directory) };
    const { code, stderr } = await run(["--environment", "local", "--context", "c"], directory, variables);

    expect({ code, stderr }).toMatchObject({ code: 0, stderr: expect.stringContaining("cluster: context 'c' of ") });
    expect(stderr).toContain(
      "note: app.settings: AUTH_MODE 'off': anyone who reaches the server may call every tool\n",
    );
    expect(await providers("local")).toEqual([
      expect.objectContaining({ config_path: join(directory, "kubeconfig"), config_context: "c" }),
    ]);

    const unnamed = await run(["--environment", "local"], directory, variables);
    expect(unnamed).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^environment 'local' lets anyone call .* current, 'c': name the context .*\n$/),
    });
    const elsewhere = await run(["--environment", "staging"], directory, { ...variables, KUBE_CONTEXT: "c" });
    expect(elsewhere).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^environment 'staging' belongs to the context 'staging', not to 'c': .*\n$/),
    });
  });

  it("refuses a kubeconfig that Terraform or kubectl could not use, ends with 2 and shows no stack trace", async () => {
    await writeFile(join(directory, "broken"), "{");
    const broken = await run(["--environment", "local"], directory, { KUBECONFIG: join(directory, "broken") });
    expect(broken).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^the kubeconfig '.*broken' is not YAML: .*\n$/),
    });

    const moved = await run(["--environment", "local"], directory, { KUBE_HOST: "https://other.example.com" });
    expect(moved).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^KUBE_HOST would move Terraform alone .*\n$/),
    });
  });

  it("lists the environments there are when it does not know one, ends with 2 and shows no stack trace", async () => {
    expect(await synth("--environment", "nope")).toEqual({
      code: 2,
      stdout: "",
      stderr: "there is no environment 'nope'; there are: local, production, staging; or name a file by its path\n",
    });
  });

  it("says all that is wrong with an environment file, ends with 2 and shows no stack trace", async () => {
    const file = join(directory, "bad.ts");
    const project = fileURLToPath(new URL("../../", import.meta.url));
    await writeFile(
      file,
      `import local from "${project}environments/local.ts";
       import { environment } from "${project}environment/environment.ts";
       export default environment({ ...local, scaling: { ...local.scaling, minReplicas: 5, maxReplcas: 9 } as never });`,
    );

    expect(await synth("--environment", file)).toEqual({
      code: 2,
      stdout: "",
      stderr: `environment 'local' is not valid:
  scaling: there is no 'maxReplcas' here; did you mean 'maxReplicas'?
  scaling.minReplicas: minReplicas (5) must be at most maxReplicas (4)
`,
    });
  });

  it.each([
    ["a syntax error", 'export default {\n  name: "x" "y",\n};', /^\/.*\/bad\.ts:2: 'name: "x" "y",': Expected .*\n$/],
    [
      "a name that is not defined",
      "export default nope();",
      /^'.*' failed while it was loaded: ReferenceError: nope .*\n$/,
    ],
    [
      "an import that does not exist",
      'import { nope } from "node:fs";\nexport default nope;',
      /^\/.*\/bad\.ts:1: .*does not provide an export named 'nope'\n$/,
    ],
  ])("says where an environment file has %s, ends with 2 and shows no stack trace", async (_, text, stderr) => {
    const file = join(directory, "bad.ts");
    await writeFile(file, text);

    expect(await synth("--environment", file)).toEqual({
      code: 2,
      stdout: "",
      stderr: expect.stringMatching(stderr),
    });
  });

  it.each([
    ["an option that does not exist", "--bogus", "unknown option '--bogus'; see 'mcp-bluegreen synth --help'\n"],
    [
      "an argument",
      "staging",
      "too many arguments for 'synth'. Expected 0 arguments but got 1: staging; see 'mcp-bluegreen synth --help'\n",
    ],
  ])("refuses %s in one line and ends with 2", async (_, argument, stderr) => {
    expect(await synth(argument)).toEqual({ code: 2, stdout: "", stderr });
  });

  it("passes options on to the program of cdktf.json, which reads variables alone", async () => {
    const { code, stderr, stdout } = await synth("-e", "local", "--stage", "green=app:2", "--activate", "blue");

    expect(code).toBe(0);
    expect(stderr).toContain("stage: app:2 on green, by an operator: without a mark and without a fence\n");
    expect(stderr).toContain("activate: blue\n");
    expect(stdout).toBe(`stacks: ${join(directory, "cdktf.out", "stacks")}\n`);
    expect(await run(["--activate", "blue"], directory, {}, MAIN)).toEqual({
      code: 2,
      stdout: "",
      stderr: expect.stringMatching(/^unexpected argument '--activate': .* ENVIRONMENT, STAGE and ACTIVATE; .*\n$/),
    });
  });
});

/** The variables that npm sets. */
const calledFrom = (folder: string) => ({ INIT_CWD: folder, npm_package_json: join(process.cwd(), "package.json") });

const MAIN = [fileURLToPath(new URL("../../main.ts", import.meta.url))];
const SYNTH = [fileURLToPath(new URL("../../cli/bin.ts", import.meta.url)), "synth"];

/** Runs a synth as a user does, with its output in a directory of its own. */
function run(
  args: readonly string[],
  outdir: string,
  variables: Readonly<Record<string, string>> = {},
  program = SYNTH,
): Promise<{ code: number; stdout: string; stderr: string }> {
  const env = { PATH: process.env.PATH, HOME: outdir, CDKTF_OUTDIR: join(outdir, "cdktf.out"), ...variables };
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [...program, ...args], { env }, (_, stdout, stderr) => {
      resolve({ code: child.exitCode ?? 1, stdout, stderr });
    });
  });
}
