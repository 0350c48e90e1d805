import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { RehearsalResult } from "../../../rehearse/record/result.ts";

const BIN = join(import.meta.dirname, "../../../cli/bin.ts");

export interface Rehearsed {
  readonly exitCode: unknown;
  readonly output: string;
  /** What `--json` wrote; none if it came to no end. */
  readonly result?: RehearsalResult;
  /** Command lines of processes that are left. */
  readonly left: readonly string[];
}

/** Runs the command in a folder as a user does there, quick and without a page. */
export async function rehearse(
  folder: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Rehearsed> {
  const home = await mkdtemp(join(tmpdir(), "own-server-"));
  const json = join(home, "out.json");
  // Everything that the command starts inherits this, so that it can be found.
  const marker = `BLUEGREEN_TEST=${home}`;
  try {
    const child = spawn(
      process.execPath,
      [BIN, "rehearse", ...args, "--quick", "--no-page", "--json", json, "--report", home],
      {
        cwd: folder,
        env: { ...process.env, INIT_CWD: folder, TMPDIR: home, REHEARSAL_MARKER: marker, MARKER: marker, ...env },
        stdio: ["ignore", "pipe", "pipe"],
      },
    );
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => (output += text));
    }
    const [exitCode] = (await once(child, "close")) as unknown[];
    const result = await readFile(json, "utf8").then(
      (text) => JSON.parse(text) as RehearsalResult,
      () => undefined,
    );
    return { exitCode, output, left: await processesWith(marker), ...(result && { result }) };
  } finally {
    await rm(home, { recursive: true });
  }
}

async function processesWith(variable: string): Promise<string[]> {
  const { stdout } = await promisify(execFile)("ps", ["eww", "-eo", "args"], { maxBuffer: 64 * 1024 * 1024 });
  return stdout.split("\n").filter((line) => line.includes(variable) && !line.includes("ps eww"));
}
