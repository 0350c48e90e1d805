import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { startProcess } from "./app-process.ts";
import { connect } from "./running-app.ts";

const ROOT = join(import.meta.dirname, "../..");
const BUILD = join(ROOT, "app/build.ts");

/** Code outside of the app, which uses the app's packages. */
const MAIN = `
import { z } from "zod";
import { run } from ${JSON.stringify(join(ROOT, "app/src/run.ts"))};
import { answer, type Tool } from ${JSON.stringify(join(ROOT, "app/src/tools/tool.ts"))};

const greet: Tool<{ name: string }> = {
  name: "greet",
  title: "Greeting",
  description: "Greets a person.",
  inputSchema: z.object({ name: z.string() }),
  outputSchema: z.object({ greeting: z.string() }),
  annotations: { readOnlyHint: true },
  handle: ({ name }) => answer({ greeting: \`Hello, \${name}\` }, \`Hello, \${name}\`),
};

await run({ tools: (bundled) => [...bundled, greet] });
`;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "entry-"));
  await writeFile(join(folder, "main.ts"), MAIN);
  await writeFile(join(folder, "broken.ts"), "import { nothing } from './nowhere.ts';\nnothing(");
});
afterAll(() => rm(folder, { recursive: true }));

const build = (entry: string) =>
  promisify(execFile)(process.execPath, [BUILD, "--entry", entry, "--out", join(folder, "out.js")], { cwd: folder });

describe("an entry point of one's own", () => {
  it("is bundled from outside of the app, with its tools beside the bundled ones that TOOLS names", async () => {
    await build("main.ts");
    const tools = async (TOOLS: string) => {
      const app = await startProcess({ TOOLS }, join(folder, "out.js"));
      const client = await connect(new URL(`http://127.0.0.1:${app.mcpPort}/mcp`), "2026");
      const { tools } = await client.listTools();
      const { structuredContent } = await client.callTool({ name: "greet", arguments: { name: "Ada" } });
      await client.close();
      app.process.kill("SIGTERM");
      await app.exit;
      expect(structuredContent).toEqual({ greeting: "Hello, Ada" });
      return tools.map(({ name }) => name);
    };

    expect(await tools("simple_health,get_data")).toEqual(["get_data", "simple_health", "greet"]);
    expect(await tools("none")).toEqual(["greet"]);
  }, 60_000);

  it("is refused if there is no such file, and its errors are shown with their place and without a stack", async () => {
    await expect(build("absent.ts")).rejects.toMatchObject({
      code: 2,
      stderr: "there is no entry point 'absent.ts'\n",
    });
    await expect(build("broken.ts")).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/broken\.ts:2:8(?![^]*at async)/),
    });
  }, 30_000);
});
