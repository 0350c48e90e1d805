import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { ENVIRONMENT_FILE } from "../local/a-host.ts";
import { COMPILE_CACHE } from "../../compile-cache.ts";

export const CLI = fileURLToPath(new URL("../../../cli/bin.ts", import.meta.url));

export interface Finished {
  /** The exit code, or the signal that ended it. */
  readonly code: number | NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  /** What it said last with `--json`. */
  readonly last: Readonly<Record<string, unknown>>;
  readonly events: readonly Readonly<Record<string, unknown>>[];
}

export interface Running {
  readonly child: ChildProcess;
  readonly finished: Promise<Finished>;
}

/** Starts a command of a release as a user does, in the test's environment and with `-o json`. */
export function start(home: string, args: readonly string[]): Running {
  const [command = "", ...options] = args;
  return startAsIs(home, [command, "-e", ENVIRONMENT_FILE, "-o", "json", ...options]);
}

/** Starts a command of a release with these arguments alone. */
export const startAsIs = (home: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Running =>
  startCommand(home, ["release", ...args], env);

/** Starts any command of the program. */
export function startCommand(
  home: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
  nodeOptions: readonly string[] = [],
): Running {
  const child = spawn(process.execPath, [...nodeOptions, CLI, ...args], {
    env: { PATH: process.env.PATH, BLUEGREEN_HOME: home, NODE_COMPILE_CACHE: COMPILE_CACHE, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const finished = once(child, "close").then((): Finished => {
    const events = stdout.split("\n").flatMap((line) => parse(line));
    return { code: child.exitCode ?? child.signalCode, stdout, stderr, events, last: events.at(-1) ?? {} };
  });
  return { child, finished };
}

export const run = (home: string, ...args: readonly string[]): Promise<Finished> => start(home, args).finished;

/** Resolves when this stands in what is said from now on. */
export async function says(output: Readable | null, what: string): Promise<void> {
  let text = "";
  while (!text.includes(what)) {
    const [chunk] = (await once(output ?? process.stdin, "data")) as [string];
    text += chunk;
  }
}

function parse(line: string): Record<string, unknown>[] {
  try {
    return [JSON.parse(line) as Record<string, unknown>];
  } catch {
    return [];
  }
}
