import { other, type Color } from "../../environment/color.ts";
import type { Environment } from "../../environment/environment.ts";
import { UsageError } from "../errors.ts";
import { Reach } from "../measure/reach.ts";
import type { Target } from "../ports/target.ts";
import { observe, readyIn } from "../snapshot.ts";
import { connections } from "./connections.ts";
import { inOneLine } from "./in-one-line.ts";
import type { ContractCheck, ContractContext, ContractLine } from "./line.ts";
import { metrics } from "./metrics.ts";
import { health, version } from "./pages.ts";
import { protocol } from "./protocol.ts";
import { sessions } from "./sessions.ts";
import { smoke } from "./smoke.ts";
import { start } from "./start.ts";
import { stop } from "./stop.ts";

export interface Contract {
  readonly color: Color;
  readonly live: boolean;
  readonly pods: number;
  readonly lines: readonly ContractLine[];
}

interface ContractOptions {
  readonly target: Target;
  readonly environment: Environment;
  readonly signal: AbortSignal;
  /** Whether a pod of the idle color may be ended, to see how it stops. @default false */
  readonly endPod?: boolean;
}

const CHECKS: readonly (readonly [string, ContractCheck])[] = [
  ["MCP", protocol],
  ["sessions", sessions],
  ["connections", connections],
  ["smoke call", smoke],
  ["health", health],
  ["version", version],
  ["metrics", metrics],
  ["start", start],
];

/**
 * Tells the author of a server what the server lacks, and what a release does without. It takes no lease and changes nothing
 * in the target, unless it may end a pod.
 *
 * @returns the contract of the idle color, or of the live one if that alone has ready pods
 * @throws UsageError if no pod is ready
 * @throws TargetUnreachable, TargetRefused if the way to the color is broken: that says nothing about the server
 */
export async function checkContract({
  target,
  environment,
  signal,
  endPod = false,
}: ContractOptions): Promise<Contract> {
  const { live, colors } = await observe(target, signal);
  const color = [other(live), live].find((one) => readyIn(colors[one]) > 0);
  if (color === undefined)
    throw new UsageError("no pod of either color is ready: deploy the environment, or stage a version first");
  const reach = new Reach(await target.probe.endpoint(color, signal), target.traffic);
  const context = { target, environment, color, state: colors[color], endpoint: reach.endpoint, signal };
  try {
    const lines: ContractLine[] = [];
    for (const [what, check] of CHECKS) lines.push(...(await checked(what, check, context)));
    // Last: it may end a pod.
    lines.push(...(await checked("stop", (of) => stop(of, endPod && color !== live), context)));
    if (lines.some(({ found }) => found !== "ok")) await reach.check(signal);
    return { color, live: color === live, pods: readyIn(colors[color]), lines };
  } finally {
    await reach.endpoint.close();
  }
}

async function checked(what: string, check: ContractCheck, context: ContractContext): Promise<readonly ContractLine[]> {
  try {
    return await check(context);
  } catch (error) {
    context.signal.throwIfAborted();
    return [{ what, found: "unknown", evidence: inOneLine(error) }];
  }
}
