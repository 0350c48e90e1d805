import { glob, readFile, stat } from "node:fs/promises";
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

const common = {
  bundle: true,
  platform: "node",
  target: "node24",
  // Names stay: they are in stack traces and in logs, and code that restores them after the fact costs memory and time at every start.
  minifyWhitespace: true,
  minifySyntax: true,
  logLevel: "warning",
} as const;

// A thread starts from code of its own, which travels in the bundle as a string.
const diskThread = await build({
  ...common,
  entryPoints: [join(here, "src", "store", "disk", "thread.ts")],
  format: "cjs",
  write: false,
});

const scripts: Record<string, string> = {};
for await (const path of glob("**/*.lua", { cwd: join(here, "src") }))
  scripts[path] = await readFile(join(here, "src", path), "utf8");

await build({
  ...common,
  entryPoints: [values.entry ?? join(here, "src", "main.ts")],
  outfile: out,
  format: "esm",
  sourcemap: "external",
  define: {
    BUNDLED_VERSION: JSON.stringify(version),
    BUNDLED_LUA: JSON.stringify(scripts),
    BUNDLED_DISK_THREAD: JSON.stringify(diskThread.outputFiles[0]?.text),
  },
  // Some dependencies are CommonJS and require Node's own modules.
  banner: { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);' },
});

const megabytes = (await stat(out)).size / 1e6;
console.log(`${relative(process.cwd(), out)}: version ${version}, ${megabytes.toFixed(2)} MB`);
