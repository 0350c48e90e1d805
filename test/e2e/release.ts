import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Status } from "../../release/status.ts";
import type { ReleaseEvent, ReleaseResult } from "../../release/events.ts";
import { mustRun, PROJECT, run } from "./command.ts";
import { imageOf } from "./images.ts";

/** A release that bakes for a few seconds. */
export const QUICK = "test/e2e/quick-environment.ts";

/** A release that bakes for as long as that of environment `local`. */
export const PATIENT = "test/e2e/patient-environment.ts";

/** The arguments of a release of version 1.1.0, to whichever color is idle. */
export const CANDIDATE = ["--image", imageOf("1.1.0"), "--version", "1.1.0"] as const;

const cli = (command: string, environment: string, more: readonly string[]) =>
  ["cli/bin.ts", "release", command, "-e", environment, "--target", "kubernetes", "-o", "json", ...more] as const;

/** Runs a release command against the cluster, and fails unless it ends with 0. */
export const release = (command: string, ...more: readonly string[]): Promise<ReleaseEvent[]> =>
  releaseOf(PATIENT, command, ...more);

export async function releaseOf(
  environment: string,
  command: string,
  ...more: readonly string[]
): Promise<ReleaseEvent[]> {
  const { code, stdout, output } = await run(process.execPath, cli(command, environment, more));
  if (code !== 0) throw new Error(`'release ${command}' ended with ${code}:\n${output.slice(-3000)}`);
  return stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as ReleaseEvent);
}

export interface Ended extends ReleaseResult {
  /** The exit code, or the signal that ended the process. */
  readonly code: number | NodeJS.Signals | null;
  readonly events: readonly ReleaseEvent[];
}

export interface Running {
  readonly child: ChildProcess;
  /** Resolves with the first event that fits; fails if the command ends without one. */
  until(fits: (event: ReleaseEvent) => boolean): Promise<ReleaseEvent>;
  readonly ended: Promise<Ended>;
}

interface ReleaseOptions {
  readonly environment?: string;
  readonly args?: readonly string[];
  readonly variables?: NodeJS.ProcessEnv;
}

/** Starts a release command whose outcome is the test's to judge. */
export function startRelease(
  command: string,
  { environment = QUICK, args = [], variables = {} }: ReleaseOptions = {},
): Running {
  const child = spawn(process.execPath, cli(command, environment, args), {
    cwd: PROJECT,
    env: { ...process.env, ...variables },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let errors = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (errors += text));
  const events: ReleaseEvent[] = [];
  const waiting = new Set<() => void>();
  createInterface({ input: child.stdout }).on("line", (line) => {
    events.push(JSON.parse(line) as ReleaseEvent);
    for (const check of waiting) check();
  });
  const ended = once(child, "close").then((): Ended => {
    const result = events.findLast((event) => event.type === "result");
    const { result: kind = "crash", reason = errors } = result ?? {};
    return { code: child.exitCode ?? child.signalCode, result: kind, reason, events };
  });
  return {
    child,
    ended,
    until: (fits) =>
      new Promise((resolve, reject) => {
        const check = () => {
          const event = events.find(fits);
          if (event === undefined) return;
          waiting.delete(check);
          resolve(event);
        };
        waiting.add(check);
        check();
        void ended.then(({ code, reason }) => {
          reject(new Error(`'release ${command}' ended with ${String(code)} before that: ${reason}`));
        });
      }),
  };
}

export const inPhase =
  (phase: string) =>
  (event: ReleaseEvent): boolean =>
    event.type === "phase" && event.phase === phase;

/** Kills a release when it reports a phase: no handler runs, and its lease is not given back. */
export async function killedIn(phase: string, ...args: readonly string[]): Promise<void> {
  const release = startRelease("run", { environment: PATIENT, args });
  await release.until(inPhase(phase));
  release.child.kill("SIGKILL");
  await release.ended;
}

export async function status(environment: string): Promise<Status> {
  return JSON.parse(await mustRun(process.execPath, cli("status", environment, []))) as Status;
}
