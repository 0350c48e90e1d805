import { execFile, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it, jest } from "@jest/globals";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program as a user of that folder does: without the variables of the npm that runs the tests. */
function run(cwd: string, program: string, ...args: readonly string[]): Promise<Ran> {
  return new Promise((resolve) => {
    const child = execFile(program, args, { cwd, env: environmentOf(cwd) }, (_, stdout, stderr) => {
      resolve({ code: child.exitCode ?? 1, stdout, stderr });
    });
  });
}

const environmentOf = (cwd: string): NodeJS.ProcessEnv => ({
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(npm_|INIT_CWD$|NODE_OPTIONS$)/.test(name))),
  PATH: [join(cwd, "node_modules", ".bin"), process.env.PATH].join(delimiter),
});

/** A stack without what differs between two folders and two versions of the same CDK. */
async function stackIn(project: string, part: string): Promise<unknown> {
  const file = join(project, "cdktf.out/stacks", `production-words-${part}`, "cdk.tf.json");
  const stack = JSON.parse((await readFile(file, "utf8")).replaceAll(project, "PROJECT")) as {
    "//": { metadata: Record<string, unknown> };
  };
  delete stack["//"].metadata.version;
  return stack;
}

async function must(ran: Promise<Ran>): Promise<Ran> {
  const result = await ran;
  if (result.code !== 0) throw new Error(`exit code ${result.code}: ${result.stdout}\n${result.stderr}`);
  return result;
}

const isReachable =
  spawnSync("npm", ["view", "zod", "name", "--fetch-retries=0", "--fetch-timeout=10000"]).status === 0;
if (!isReachable) process.stderr.write("The packed kit is not installed: npm cannot reach its registry.\n");
const withRegistry = isReachable ? describe : describe.skip;

withRegistry("the packed kit, installed in an empty directory", () => {
  jest.setTimeout(600_000);
  let folder: string;
  let mine: string;
  let packed: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "installed-"));
    const { stdout } = await must(run(ROOT, "npm", "pack", "--pack-destination", folder));
    packed = join(folder, stdout.trim().split("\n").at(-1) ?? "");
    mine = join(folder, "words");
    const kit = join(folder, "kit");
    await mkdir(kit);
    await writeFile(join(kit, "package.json"), JSON.stringify({ private: true, allowScripts: { node: true } }));
    await must(run(kit, "npm", "install", "--no-audit", "--no-fund", packed, "node@24"));
    await must(run(kit, "mcp-bluegreen", "init", mine));
    await must(run(mine, "npm", "install", "--no-audit", "--no-fund", packed));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it("explains itself, and refuses an older Node in one line", async () => {
    const help = await run(mine, "mcp-bluegreen", "--help");
    expect(help).toMatchObject({ code: 0, stdout: expect.stringContaining("Usage: mcp-bluegreen") });

    const bin = join(mine, "node_modules/mcp-bluegreen/dist/cli/bin.js");
    const old = `Object.defineProperty(process.versions, "node", { value: "20.1.0" }); await import("${bin}");`;
    const refused = await run(mine, "node", "--input-type=module", "--eval", old);
    expect(refused).toEqual({
      code: 2,
      stdout: "",
      stderr: "mcp-bluegreen needs Node 22.19 or later; this is Node 20.1.0\n",
    });
  });

  it("writes a repository without a line of the kit, whose types and tests are right", async () => {
    const files = await readdir(mine, { recursive: true });
    expect(files.filter((file) => !/^(node_modules|package-lock)/.test(file)).sort()).toEqual([
      ".dockerignore",
      ".gitignore",
      "Dockerfile",
      "README.md",
      "cdktf.json",
      "environments",
      "environments/local.ts",
      "environments/production.ts",
      "main.ts",
      "package.json",
      "server",
      "server/main.ts",
      "server/word-count.test.ts",
      "server/word-count.ts",
      "tsconfig.json",
    ]);
    await must(run(mine, "npm", "run", "check"));
    const { stdout } = await must(run(mine, "npm", "test"));
    expect(stdout).toMatch(/^# pass 3$|^ℹ pass 3$/m);
  });

  it.each(["local", "production"])("synthesizes its environment %s", async (name) => {
    await must(run(mine, "npm", "run", "synth", "--", "-e", name));
    const stack = join(mine, "cdktf.out/stacks", `${name}-words-traffic`, "cdk.tf.json");

    expect(await readFile(stack, "utf8")).toContain(`"name": "words"`);
  });

  it("says in one message what is wrong with an environment", async () => {
    expect(await run(mine, "mcp-bluegreen", "synth", "-e", "staging")).toMatchObject({
      code: 2,
      stderr: "there is no environment 'staging'; there are: local, production; or name a file by its path\n",
    });
  });

  it("builds its server and serves its tool to an MCP client, as the README says", async () => {
    await must(run(mine, "npm", "run", "build"));
    const host = spawn("mcp-bluegreen", ["local", "--image", "dist/server.js", "--port", "0", "-o", "json"], {
      cwd: mine,
      env: environmentOf(mine),
      stdio: ["ignore", "pipe", "inherit"],
    });
    try {
      const [line] = (await once(createInterface({ input: host.stdout }), "line")) as [string];
      const { url } = JSON.parse(line) as { url: string };
      const client = new Client({ name: "a-client", version: "1" });
      await client.connect(new StreamableHTTPClientTransport(new URL(url)));
      const answer = await client.callTool({ name: "word_count", arguments: { text: "one two" } });
      await client.close();

      expect(answer.structuredContent).toEqual({ words: 2 });
    } finally {
      host.kill("SIGTERM");
      await once(host, "exit");
    }
  });

  it("synthesizes the same stacks with CDK Terrain, by an alias of npm", async () => {
    const successor = join(folder, "successor");
    await mkdir(successor);
    for (const path of ["environments", "main.ts", "cdktf.json"]) {
      await cp(join(mine, path), join(successor, path), { recursive: true });
    }
    const packages = {
      cdktf: "npm:cdktn@0.24.0",
      constructs: "10.7.2",
      "@cdktf/provider-kubernetes": "12.1.1",
      node: "24",
    };
    const manifest = {
      private: true,
      type: "module",
      dependencies: { ...packages, "mcp-bluegreen": packed },
      overrides: { cdktf: "$cdktf" },
      allowScripts: { node: true },
    };
    await writeFile(join(successor, "package.json"), JSON.stringify(manifest));
    await must(run(successor, "npm", "install", "--no-audit", "--no-fund"));
    for (const project of [mine, successor]) await must(run(project, "mcp-bluegreen", "synth", "-e", "production"));

    const { version } = JSON.parse(await readFile(join(successor, "node_modules/cdktf/package.json"), "utf8")) as {
      readonly version: string;
    };
    expect(version).toBe("0.24.0");
    for (const part of ["platform", "blue", "green", "traffic"]) {
      expect(await stackIn(successor, part)).toEqual(await stackIn(mine, part));
    }
  });

  it("writes HCL that Terraform refuses, so that the JSON is the way out of cdktf", async () => {
    const outdir = join(folder, "hcl");
    const env = { ...environmentOf(mine), SYNTH_HCL_OUTPUT: "true", CDKTF_OUTDIR: outdir, ENVIRONMENT: "production" };
    await promisify(execFile)("node", ["main.ts"], { cwd: mine, env });
    const hcl = await readFile(join(outdir, "stacks/production-words-blue/cdk.tf"), "utf8");

    expect(hcl).toContain('0 = "required_version"');
    expect(hcl).toContain(String.raw`\-bluegreen`);
  });

  it("rehearses from the bundles that it contains, and no call fails", async () => {
    const args = ["rehearse", "--quick", "--no-page", "--json", "rehearsal.json"];
    const { code, stdout, stderr } = await run(mine, "mcp-bluegreen", ...args);
    // Beside other tests, a scenario may miss its times and end with 1.
    if (code > 1) throw new Error(stderr);
    const { totals } = JSON.parse(await readFile(join(mine, "rehearsal.json"), "utf8")) as {
      readonly totals: { readonly calls: number; readonly failures: object };
    };

    expect(totals.failures).toEqual({});
    expect(totals.calls).toBeGreaterThan(500);
    expect(stdout).toContain("Report: ");
  });
});

describe("a repository for a server that exists", () => {
  it.each([
    ["python3 'my server.py'", '["python3", "my server.py"]'],
    ["HTTP_PORT={port} node server.js", '["env", "HTTP_PORT={port}", "node", "server.js"]'],
  ])("describes the command of the server: %s", async (server, command) => {
    const folder = join(await mkdtemp(join(tmpdir(), "init-")), "notes");
    await must(run(ROOT, process.execPath, join(ROOT, "cli/bin.ts"), "init", folder, "--server", server));

    expect(await readFile(join(folder, "server.ts"), "utf8")).toContain(`command: ${command},`);
    await rm(folder, { recursive: true });
  });
});
