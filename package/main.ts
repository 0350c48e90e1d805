import { cp, glob, mkdir, rm, writeFile, readFile, chmod } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { bundle } from "../app/bundle.ts";
import { bundleClient } from "../rehearse/page/bundle.ts";
import { buildBundles } from "../rehearse/versions/bundles.ts";
import { compile } from "./compile.ts";

/**
 * Writes dist/: the compiled kit, and what a command of it would otherwise have to build from
 * sources that a package does not contain: the bundled app, the versions of a rehearsal, and the
 * page of a release.
 *
 * With `--out DIR` it writes there.
 */
const ROOT = join(import.meta.dirname, "..");
const { values } = parseArgs({ options: { out: { type: "string", default: join(ROOT, "dist") } } });
const DIST = resolve(values.out);

await rm(DIST, { recursive: true, force: true });
compile(ROOT, join(ROOT, "tsconfig.build.json"), DIST);
await chmod(join(DIST, "cli", "bin.js"), 0o755);

// Redis runs these, and the bundle of an app with tools of one's own contains them.
for await (const path of glob("app/src/**/*.lua", { cwd: ROOT })) {
  await mkdir(dirname(join(DIST, path)), { recursive: true });
  await cp(join(ROOT, path), join(DIST, path));
}
const { version } = JSON.parse(await readFile(join(ROOT, "app", "package.json"), "utf8")) as { version: string };
await writeFile(join(DIST, "app", "package.json"), `${JSON.stringify({ type: "module", version }, undefined, 2)}\n`);

const versions = join(DIST, "rehearse", "versions", "prebuilt");
await mkdir(versions);
await buildBundles(versions);
await bundle({ out: join(DIST, "app", "dist", "main.js") });
// As large as the bundles, and only of use beside the sources.
for await (const path of glob("**/*.js.map", { cwd: DIST })) await rm(join(DIST, path));

const page = join(DIST, "rehearse", "page", "prebuilt");
await mkdir(page);
const { script, style } = await bundleClient();
await writeFile(join(page, "client.js"), script);
await writeFile(join(page, "client.css"), style);
process.stdout.write(`${DIST}: version ${await versionOf(join(ROOT, "package.json"))}\n`);

async function versionOf(manifest: string): Promise<string> {
  return (JSON.parse(await readFile(manifest, "utf8")) as { version: string }).version;
}
