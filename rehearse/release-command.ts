import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { createInterface } from "node:readline";
import type { ReleaseEvent, ReleaseResult, Stamped } from "../release/events.ts";
import type { GateResult, ReleaseRun } from "./record/result.ts";

const LEASH = new URL("../release/targets/local/leash.ts", import.meta.url).href;
const CLI = fileURLToPath(new URL("../cli/bin.ts", import.meta.url));

export interface ReleaseCommand {
  /** Path of the environment file. */
  readonly environment: string;
  /** Path of the bundle. */
  readonly image: string;
  readonly version: string;
  readonly onEvent: (event: Stamped<ReleaseEvent>) => void;
  /** Interrupts the command, which leaves the release where it is. */
  readonly signal: AbortSignal;
}

/** Runs a whole release through the command that people use, in a process of its own, and reports what it says. */
export async function runRelease({
  environment,
  image,
  version,
  onEvent,
  signal,
}: ReleaseCommand): Promise<ReleaseRun> {
  const start = performance.now();
  const child = fork(CLI, ["release", "run", "-e", environment, "--image", image, "--version", version, "-o", "json"], {
    execArgv: ["--import", LEASH],
    stdio: ["ignore", "pipe", "pipe", "ipc"],
    detached: true,
  });
  const interrupt = () => child.kill("SIGINT");
  signal.addEventListener("abort", interrupt, { once: true });

  const gates = new Map<string, GateResult>();
  let result: ReleaseResult | undefined;
  let errors = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => (errors = (errors + text).slice(-2000)));
  const hear = (line: string): void => {
    const event = JSON.parse(line) as Stamped<ReleaseEvent>;
    if (event.type === "gate")
      gates.set(`${event.phase} ${event.gate}`, again(gates.get(`${event.phase} ${event.gate}`), event));
    if (event.type === "result") result = event;
    onEvent(event);
  };
  if (child.stdout !== null) createInterface({ input: child.stdout }).on("line", hear);
  const [exitCode] = (await once(child, "close")) as [number | null];
  signal.removeEventListener("abort", interrupt);
  return {
    version,
    exitCode: exitCode ?? -1,
    result: result?.result ?? "none",
    reason: result?.reason ?? (errors.trim() || "the release command ended without a result"),
    gates: [...gates.values()],
    seconds: Math.round(performance.now() - start) / 1000,
  };
}

function again(before: GateResult | undefined, event: Extract<ReleaseEvent, { type: "gate" }>): GateResult {
  const { gate, phase, outcome, evidence, seconds } = event;
  return { gate, phase, outcome, evidence, looks: (before?.looks ?? 0) + 1, seconds: (before?.seconds ?? 0) + seconds };
}
