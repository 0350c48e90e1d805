import { readFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";

const versions = z.record(z.string(), z.string());

const manifestSchema = z.object({
  name: z.string(),
  version: z.string(),
  dependencies: versions,
  devDependencies: versions,
  overrides: versions,
});

type KitManifest = z.output<typeof manifestSchema>;

/** The folder of the kit's package.json: one above the sources, two above the compiled files. */
const KIT = [join(import.meta.dirname, ".."), join(import.meta.dirname, "../..")].find((folder) =>
  existsSync(join(folder, "template")),
);

export const TEMPLATE = join(KIT ?? "", "template");

export async function kitManifest(): Promise<KitManifest> {
  return manifestSchema.parse(JSON.parse(await readFile(join(TEMPLATE, "..", "package.json"), "utf8")));
}

/**
 * The package.json of a repository that uses the kit, with the versions that the kit itself is
 * tested with.
 *
 * @param kind a tool of one's own in the bundled app, or a server that exists
 */
export function manifestOf(kit: KitManifest, name: string, kind: "tool" | "server"): object {
  const of = (...names: readonly string[]) =>
    Object.fromEntries(names.map((it) => [it, kit.devDependencies[it] ?? kit.dependencies[it] ?? "*"]));
  const serverScripts = {
    local: "mcp-bluegreen local --image .",
    rehearse: "mcp-bluegreen rehearse",
  };
  const toolScripts = {
    test: "node --test",
    build: "mcp-bluegreen build --entry server/main.ts --out dist/server.js",
    local: "mcp-bluegreen local --image dist/server.js",
    rehearse: "mcp-bluegreen rehearse",
  };
  return {
    name,
    version: "1.0.0",
    private: true,
    type: "module",
    scripts: {
      check: "tsc",
      ...(kind === "tool" ? toolScripts : serverScripts),
      synth: "mcp-bluegreen synth",
      release: "mcp-bluegreen release",
    },
    dependencies: {
      ...of("@cdktf/provider-kubernetes", "cdktf", "constructs"),
      [kit.name]: kit.version,
      ...(kind === "tool" && of("zod")),
    },
    devDependencies: of("@types/node", "cdktf-cli", "node", "typescript"),
    // A prebuilt one; the other is compiled for the Node that runs npm, and fails under Node 24.
    overrides: { [PTY]: kit.overrides[PTY] },
    allowScripts: { node: true, esbuild: true },
  };
}

const PTY = "@cdktf/node-pty-prebuilt-multiarch";
