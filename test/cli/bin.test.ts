import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { stripTypeScriptTypes } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { BIN, command, ran } from "./a-command.ts";

const olderNode = (version: string) =>
  `data:text/javascript,Object.defineProperty(process, "versions", { value: { ...process.versions, node: "${version}" } })`;

describe("the executable", () => {
  it.each(["18.20.4", "20.20.2", "22.18.0"])(
    "says in one line that Node %s is too old, and imports nothing",
    async (version) => {
      const folder = await mkdtemp(join(tmpdir(), "bin-"));
      // As it is published: JavaScript, here with nothing beside it that it could import.
      const bin = join(folder, "bin.mjs");
      await writeFile(bin, stripTypeScriptTypes(await readFile(BIN, "utf8")));
      const { code, stdout, stderr } = await ran(process.execPath, ["--import", olderNode(version), bin], folder, {});
      await rm(folder, { recursive: true });

      expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
      expect(stderr).toBe(`mcp-bluegreen needs Node 22.19 or later; this is Node ${version}\n`);
    },
  );

  it("prints its version", async () => {
    const manifest = JSON.parse(await readFile(join(BIN, "../../package.json"), "utf8")) as { version: string };

    expect(await command(["--version"])).toEqual({ code: 0, stdout: `${manifest.version}\n`, stderr: "" });
  });

  it("loads nothing heavy for a help", async () => {
    const loaded = `data:text/javascript,
      import { registerHooks } from "node:module";
      registerHooks({ resolve(specifier, context, next) {
        const resolved = next(specifier, context);
        if (/node_modules.(zod|cdktf|undici|yaml|esbuild|@)/.test(resolved.url)) process.stderr.write(resolved.url + "\\n");
        return resolved;
      } });`;
    const { code, stderr } = await command(["release", "run", "--help"], {
      env: { NODE_OPTIONS: `--import ${encodeURI(loaded)}` },
    });

    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  });
});
