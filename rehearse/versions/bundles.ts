import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * The versions of the rehearsal. The bad ones are entry points that wrap the app: the app that ships has no switches to make it
 * fail.
 */
export const VERSIONS = {
  first: { version: "1.0.0" },
  good: { version: "1.1.0" },
  wrong: { version: "1.2.0", entry: "wrong.ts" },
  slow: { version: "1.3.0", entry: "slow.ts" },
} as const;

export type VersionName = keyof typeof VERSIONS;

/** What each version runs, as `--image` names it. */
export type Images = Readonly<Record<VersionName, string>>;

/** A version could not be built; the message is what the build said. */
export class BuildFailed extends Error {
  override readonly name = "BuildFailed";
}

/**
 * Builds every version as the image's build does.
 *
 * @throws BuildFailed
 */
export async function buildBundles(folder: string): Promise<Images> {
  const build = async (name: VersionName): Promise<string> => {
    const version = VERSIONS[name];
    const out = join(folder, `app-${version.version}.js`);
    const entry = "entry" in version ? ["--entry", fileURLToPath(new URL(version.entry, import.meta.url))] : [];
    await run(["--version", version.version, "--out", out, ...entry], version.version);
    return out;
  };
  const [first, good, wrong, slow] = await Promise.all([build("first"), build("good"), build("wrong"), build("slow")]);
  return { first, good, wrong, slow };
}

const BUILD = fileURLToPath(new URL("../../app/build.ts", import.meta.url));

async function run(args: readonly string[], version: string): Promise<void> {
  const child = spawn(process.execPath, [BUILD, ...args], { stdio: ["ignore", "ignore", "pipe"] });
  let errors = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (errors += text));
  const [code] = (await once(child, "close")) as [number | null];
  if (code !== 0) throw new BuildFailed(`version ${version} could not be built:\n${errors.trim()}`);
}
