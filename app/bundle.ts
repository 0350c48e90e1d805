import { existsSync } from "node:fs";
import { glob, readFile, stat } from "node:fs/promises";
import { extname, join, relative } from "node:path";
import { build } from "esbuild";

export interface BundleOptions {
  /** The version that the bundle reports. @default - that of package.json */
  readonly version?: string | undefined;
  /** A file anywhere. @default - the app's entry point */
  readonly entry?: string | undefined;
  /** The file to write. @default - dist/main.js beside this file */
  readonly out?: string | undefined;
}

export interface Bundle {
  /** From the working directory. */
  readonly file: string;
  readonly version: string;
  readonly bytes: number;
}

/** The entry point, or a module that it imports, cannot be bundled. The message says where and why. */
export class BundleFailed extends Error {
  override readonly name = "BundleFailed";
}

const here = import.meta.dirname;

/** In the package the sources are compiled. */
const EXTENSION = extname(import.meta.filename);

/** The app without tools of one's own. The package contains it; in the repository a build makes it. */
export const BUNDLED_APP = join(here, "dist", "main.js");

/**
 * Bundles the app to one file that needs nothing but Node.
 *
 * @throws BundleFailed
 */
export async function bundle(options: BundleOptions = {}): Promise<Bundle> {
  const manifest = JSON.parse(await readFile(join(here, "package.json"), "utf8")) as { version: string };
  const { version = manifest.version, entry = join(here, "src", `main${EXTENSION}`) } = options;
  const out = options.out ?? BUNDLED_APP;
  if (!existsSync(entry)) throw new BundleFailed(`there is no entry point '${entry}'`);
  try {
    await write(version, entry, out);
  } catch (error) {
    if (!(error instanceof Error && "errors" in error)) throw error;
    throw new BundleFailed(error.message, { cause: error });
  }
  return { file: relative(process.cwd(), out), version, bytes: (await stat(out)).size };
}

async function write(version: string, entry: string, out: string): Promise<void> {
  const common = {
    bundle: true,
    platform: "node",
    target: "node24",
    // Names stay: they are in stack traces and in logs, and code that restores them after the fact costs memory and time at every start.
    minifyWhitespace: true,
    minifySyntax: true,
    // In the repository, `mcp-bluegreen/app` is its sources. esbuild adds `module` only where nothing is named.
    ...(EXTENSION === ".ts" && { conditions: ["mcp-bluegreen-source", "module"] }),
    // Errors are thrown, and printed by the caller.
    logLevel: "silent",
  } as const;

  // A thread starts from code of its own, which travels in the bundle as a string.
  const diskThread = await build({
    ...common,
    entryPoints: [join(here, "src", "store", "disk", `thread${EXTENSION}`)],
    format: "cjs",
    write: false,
  });

  const scripts: Record<string, string> = {};
  for await (const path of glob("**/*.lua", { cwd: join(here, "src") }))
    scripts[path] = await readFile(join(here, "src", path), "utf8");

  await build({
    ...common,
    entryPoints: [entry],
    outfile: out,
    // Code outside of the app finds packages in its own folder and those above, then those of the app.
    nodePaths: [join(here, "node_modules"), join(here, "..", "node_modules")],
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
}
