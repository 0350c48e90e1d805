import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import type { Tool } from "../../app/index.ts";
import { bundle } from "../../app/bundle.ts";
import { addNote } from "../../examples/own-tools/server/add-note.ts";
import { resourceOf, stackOf, type Stack } from "../stacks/synthesized.ts";

const EXAMPLES = fileURLToPath(new URL("../../examples/", import.meta.url));

describe("the examples", () => {
  let outdir: string;
  beforeEach(async () => {
    outdir = await mkdtemp(join(tmpdir(), "example-"));
  });
  afterEach(() => rm(outdir, { recursive: true }));

  /** Runs its main.ts as its `app` command does; `mcp-bluegreen` is the sources of the kit. */
  async function synthesized(example: string, variables = {}, main = "main.ts"): Promise<Record<string, Stack>> {
    const { PATH, HOME } = process.env;
    const env = { PATH, HOME, KUBECONFIG: join(outdir, "none"), CDKTF_OUTDIR: outdir, ...variables };
    const args = ["--conditions=mcp-bluegreen-source", main];
    await new Promise<void>((resolve, reject) => {
      execFile(process.execPath, args, { cwd: join(EXAMPLES, example), env }, (error, _, stderr) => {
        if (error === null) resolve();
        else reject(new Error(stderr));
      });
    });
    const names = await readdir(join(outdir, "stacks"));
    const read = async (name: string) =>
      [name, JSON.parse(await readFile(join(outdir, "stacks", name, "cdk.tf.json"), "utf8")) as Stack] as const;
    return Object.fromEntries(await Promise.all(names.map(read)));
  }

  it("add an app in two colors to a cdktf project with stacks of its own", async () => {
    const stacks = await synthesized("library");

    expect(Object.keys(stacks).sort()).toEqual([
      "network",
      ...["blue", "green", "platform", "traffic"].map((part) => `production-search-${part}`),
    ]);
    const { metadata } = resourceOf(stackOf(stacks, "production-search-green"), "kubernetes_deployment_v1");
    expect(metadata.labels).toMatchObject({ team: "search" });
  });

  it("begin with the lines of docs/library.md, which synthesize as they stand", async () => {
    const page = await readFile(join(EXAMPLES, "../docs/library.md"), "utf8");
    const [, lines = ""] = /```ts\n([^]*?)```/.exec(page) ?? [];
    // Beside the kit's package.json, where `mcp-bluegreen` is found.
    const folder = await mkdtemp(join(EXAMPLES, ".docs-"));
    try {
      await writeFile(join(folder, "main.ts"), lines);
      const stacks = await synthesized("library", {}, join(folder, "main.ts"));

      expect(Object.keys(stacks)).toHaveLength(4);
      expect(
        resourceOf(stackOf(stacks, "production-search-traffic"), "kubernetes_service_v1", "search").spec,
      ).toBeDefined();
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it("have two apps in one namespace, one of which makes it, and stage the one that is named", async () => {
    const image = `registry.example.com/notes@sha256:${"1".repeat(64)}`;
    const stacks = await synthesized("two-apps", { STAGE: `green=${image}`, BLUEGREEN_APP: "team-notes" });

    expect(Object.keys(stacks)).toHaveLength(8);
    expect(stackOf(stacks, "team-search-platform").resource).toHaveProperty("kubernetes_namespace_v1");
    expect(stackOf(stacks, "team-notes-platform").resource).not.toHaveProperty("kubernetes_namespace_v1");
    const staged = Object.keys(stacks).filter((name) => JSON.stringify(stacks[name]).includes(image));
    expect(staged).toEqual(["team-notes-green"]);
  });

  it("have tools of one's own beside a database whose password is in no stack", async () => {
    const stacks = await synthesized("own-tools", { ENVIRONMENT: "production" });
    const { spec } = resourceOf(stackOf(stacks, "production-notes-blue"), "kubernetes_deployment_v1");

    expect(Object.keys(stacks)).toContain("production-database");
    expect(JSON.stringify(spec)).toContain(
      JSON.stringify({
        name: "DATABASE_PASSWORD",
        value_from: { secret_key_ref: { key: "password", name: "notes-database" } },
      }),
    );
    const policies = stackOf(stacks, "production-notes-platform").resource.kubernetes_network_policy_v1;
    expect(JSON.stringify(policies)).toContain(`"port":"6379"`);
  });

  it("bundle the tool of one's own with the app", async () => {
    const { file } = await bundle({
      entry: join(EXAMPLES, "own-tools/server/main.ts"),
      out: join(outdir, "server.js"),
    });

    expect(await readFile(file, "utf8")).toContain("add_note");
  });

  it("count the notes that the database keeps", async () => {
    const kept: string[] = [];
    const tool: Tool<{ note: string }> = addNote({ rPush: (_, note) => Promise.resolve(kept.push(note)) });

    await tool.handle({ note: "first" }, {} as never);
    expect(await tool.handle({ note: "second" }, {} as never)).toMatchObject({ structuredContent: { notes: 2 } });
    expect(kept).toEqual(["first", "second"]);
  });
});
