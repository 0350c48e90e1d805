import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { command, PROJECT } from "./a-command.ts";

const script = (path: string) => ({ script: join(PROJECT, path) });

describe("a usage error is one line on standard error with exit code 2, and no work starts, for", () => {
  it.each([
    [
      "a misspelt command",
      ["relase"],
      {},
      "unknown command 'relase' (did you mean release?); see 'mcp-bluegreen --help'",
    ],
    ["an option of a group", ["release", "--nope"], {}, "unknown option '--nope'; see 'mcp-bluegreen release --help'"],
    [
      "a misspelt option",
      ["rehearse", "--qick"],
      {},
      "unknown option '--qick' (did you mean --quick?); see 'mcp-bluegreen rehearse --help'",
    ],
    [
      "an argument too many",
      ["local", "staging"],
      {},
      "too many arguments for 'local'. Expected 0 arguments but got 1: staging; see 'mcp-bluegreen local --help'",
    ],
    [
      "a port that is none",
      ["local", "--port", "1e3"],
      {},
      "option '--port <port>' argument '1e3' is invalid. A port is a whole number from 0 to 65535; see 'mcp-bluegreen local --help'",
    ],
    [
      "an output format",
      ["release", "status", "-o", "yaml"],
      {},
      "option '-o, --output <format>' argument 'yaml' is invalid. Allowed choices are text, json; see 'mcp-bluegreen release status --help'",
    ],
    ["an option of build", ["build", "--nope"], {}, "unknown option '--nope'; see 'mcp-bluegreen build --help'"],
    [
      "an environment of synth",
      ["synth", "-e", "nope"],
      {},
      "there is no environment 'nope'; there are: local, production, staging; or name a file by its path",
    ],
    ["a flag of the image's build", ["--nope"], script("app/build.ts"), "Unknown option '--nope'; see --help"],
    ["a word of the image's build", ["extra"], script("app/build.ts"), "Unexpected argument 'extra'; see --help"],
    [
      "a flag of the benchmark",
      ["--nope"],
      script("bench/main.ts"),
      "unknown option '--nope'; see 'npm run bench -- --help'",
    ],
    [
      "a word of the benchmark",
      ["synth"],
      script("bench/main.ts"),
      "too many arguments. Expected 0 arguments but got 1: synth; see 'npm run bench -- --help'",
    ],
    [
      "a flag of the conformance suite",
      ["--nope"],
      script("test/conformance/main.ts"),
      "unknown option '--nope'; see 'npm run conformance -- --help'",
    ],
    [
      "a word of the conformance suite",
      ["extra"],
      script("test/conformance/main.ts"),
      "too many arguments. Expected 0 arguments but got 1: extra; see 'npm run conformance -- --help'",
    ],
    [
      "a flag of the end-to-end tests",
      ["--nope"],
      script("test/e2e/main.ts"),
      "unknown option '--nope'; see 'npm run e2e -- --help'",
    ],
    [
      "a word of the end-to-end tests",
      ["extra"],
      script("test/e2e/main.ts"),
      "too many arguments. Expected 0 arguments but got 1: extra; see 'npm run e2e -- --help'",
    ],
  ] as const)("%s", async (_, args, surroundings, message) => {
    expect(await command(args, surroundings)).toEqual({ code: 2, stdout: "", stderr: `${message}\n` });
  });

  it("a command without its subcommand, after the help", async () => {
    const { code, stdout, stderr } = await command(["release"]);

    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(/^Usage: mcp-bluegreen release /);
  });
});

describe("an error of a command", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "usage-"));
  });
  afterAll(() => rm(folder, { recursive: true }));

  const status = (env: NodeJS.ProcessEnv, ...args: string[]) =>
    command(["release", "status", ...args], { env: { HOME: folder, BLUEGREEN_HOME: folder, ...env } });

  it("has a stack trace only with --debug", async () => {
    const without = await status({});
    const debug = await status({}, "--debug");

    expect(without).toEqual({ code: 7, stdout: "", stderr: expect.stringMatching(/^no local host is running.*\n$/) });
    expect(debug.code).toBe(7);
    expect(debug.stderr).toMatch(/\n {4}at /);
    expect(debug.stderr.endsWith(without.stderr)).toBe(true);
  });

  it("says which kubeconfig does not exist, also for an environment with a context of its own", async () => {
    const missing = join(folder, "nowhere");
    const any = await status({ KUBECONFIG: missing }, "--target", "kubernetes");
    const named = await status({ KUBECONFIG: missing }, "-e", "production");

    expect(any).toEqual({
      code: 2,
      stdout: "",
      stderr: `there is no kubeconfig: '${missing}' does not exist, and this is no pod of a cluster; name your file in KUBECONFIG\n`,
    });
    expect(named).toEqual({
      code: 2,
      stdout: "",
      stderr: `there is no kubeconfig with the context 'production': '${missing}' does not exist; name your file in KUBECONFIG\n`,
    });
  });
});

describe("the environment of a command is", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "environment-"));
    await writeFile(join(folder, "broken.ts"), "export default {};\n");
  });
  afterAll(() => rm(folder, { recursive: true }));

  // Each of these commands stops at the environment, and names it.
  const COMMANDS = [["release", "status"], ["release", "rollback"], ["local", "--port", "0"], ["synth"]];

  it.each(COMMANDS.map((words) => [words]))("that of -e, otherwise that of ENVIRONMENT, in %j", async (words) => {
    const env = { ENVIRONMENT: "from-the-variable", BLUEGREEN_HOME: folder };
    const option = await command([...words, "-e", "from-the-option"], { env });
    const variable = await command(words, { env });

    expect(option).toMatchObject({ code: 2, stderr: expect.stringContaining("no environment 'from-the-option'") });
    expect(variable).toMatchObject({ code: 2, stderr: expect.stringContaining("no environment 'from-the-variable'") });
  });

  it("'local' if neither names one, or the variable is empty", async () => {
    for (const env of [{}, { ENVIRONMENT: "" }]) {
      const { code, stderr } = await command(["release", "status"], { env: { ...env, BLUEGREEN_HOME: folder } });

      expect({ code, stderr }).toEqual({ code: 7, stderr: expect.stringContaining("no local host is running") });
    }
  });

  it("the path of a file from the folder in which the command was called", async () => {
    const { code, stderr } = await command(["release", "status", "-e", "./broken.ts"], { cwd: folder });

    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: "'./broken.ts' must have a default export made by environment({ … })\n",
    });
  });
});
