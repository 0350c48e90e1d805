import { readFile, stat } from "node:fs/promises";
import { join, relative } from "node:path";
import { parseArgs } from "node:util";
import { build } from "esbuild";

/**
 * Bundles the app to one file that needs nothing but Node:
 *
 *     node app/build.ts [--version 1.2.0] [--entry app/src/main.ts] [--out app/dist/main.js]
 */
const { values } = parseArgs({
  options: { version: { type: "string" }, entry: { type: "string" }, out: { type: "string" } },
});

const here = import.meta.dirname;
const manifest = JSON.parse(await readFile(join(here, "package.json"), "utf8")) as { version: string };
const version = values.version ?? manifest.version;
const out = values.out ?? join(here, "dist", "main.js");

await build({
  entryPoints: [values.entry ?? join(here, "src", "main.ts")],
  outfile: out,
  bundle: true,
  platform: "node",
  target: "node24",
  format: "esm",
  minify: true,
  keepNames: true,
  sourcemap: "external",
  define: { BUNDLED_VERSION: JSON.stringify(version) },
  // Some dependencies are CommonJS and require Node's own modules.
  banner: { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);' },
  logLevel: "warning",
});

const megabytes = (await stat(out)).size / 1e6;
console.log(`${relative(process.cwd(), out)}: version ${version}, ${megabytes.toFixed(2)} MB`);
