import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Status } from "../../release/status.ts";
import type { ReleaseEvent } from "../../release/events.ts";
import { mustRun, PROJECT, run } from "./command.ts";

const cli = (command: string, environment: string, more: readonly string[]) =>
  ["release/cli.ts", command, "--environment", environment, "--target", "kubernetes", "--json", ...more] as const;

/** Runs a release command against the cluster, and insists on how it ends. */
export const release = (command: string, ...more: readonly string[]): Promise<ReleaseEvent[]> =>
  releaseOf("local", command, ...more);

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

/** Kills a release in the moment that it says to have reached a phase: no handler runs, and its lease is not given back. */
export async function killedIn(phase: string, ...args: readonly string[]): Promise<void> {
  const child = spawn(process.execPath, cli("run", "local", args), {
    cwd: PROJECT,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = once(child, "exit");
  for await (const line of createInterface({ input: child.stdout })) {
    const event = JSON.parse(line) as ReleaseEvent;
    if (event.type === "phase" && event.phase === phase) child.kill("SIGKILL");
  }
  const [code] = (await exited) as [number | null];
  if (code !== null) throw new Error(`'release run' ended with ${code} before it reached ${phase}`);
}

export async function status(environment: string): Promise<Status> {
  return JSON.parse(await mustRun(process.execPath, cli("status", environment, []))) as Status;
}
