import type { Status } from "../../release/status.ts";
import type { ReleaseEvent } from "../../release/events.ts";
import { mustRun, run } from "./command.ts";

const cli = (command: string, environment: string, more: readonly string[]) =>
  ["release/cli.ts", command, "--environment", environment, "--target", "kubernetes", "--json", ...more] as const;

/** Runs a release command against the cluster, and insists on how it ends. */
export async function release(command: string, ...more: readonly string[]): Promise<ReleaseEvent[]> {
  const { code, stdout, output } = await run(process.execPath, cli(command, "local", more));
  if (code !== 0) throw new Error(`'release ${command}' ended with ${code}:\n${output.slice(-3000)}`);
  return stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as ReleaseEvent);
}

export async function status(environment: string): Promise<Status> {
  return JSON.parse(await mustRun(process.execPath, cli("status", environment, []))) as Status;
}
