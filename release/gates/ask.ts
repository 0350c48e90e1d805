import { TargetRefused, TargetUnreachable } from "../errors.ts";
import type { Check, Gate, GateContext, Verdict } from "./gate.ts";

export interface Answer extends Verdict {
  readonly gate: string;
}

/**
 * Runs one gate and reports its verdict.
 *
 * A gate that could not check is inconclusive: neither an outage, nor a missing right, nor a fault in the gate itself is
 * evidence about the color.
 *
 * @param check the gate itself, or what it began for this bake
 */
export async function ask(
  gate: Gate,
  phase: "verify" | "bake",
  context: GateContext,
  check: Check = gate,
): Promise<Answer> {
  const start = context.clock.now();
  const { outcome, evidence, ...rest } = await verdict(check, context);
  const seconds = (context.clock.now() - start) / 1000;
  context.listener({ type: "gate", phase, gate: gate.name, outcome, evidence, seconds });
  return { gate: gate.name, outcome, evidence, ...rest };
}

async function verdict(check: Check, context: GateContext): Promise<Verdict> {
  try {
    return await check.check(context);
  } catch (error) {
    context.signal.throwIfAborted();
    const message = error instanceof Error ? error.message : String(error);
    const expected = error instanceof TargetUnreachable || error instanceof TargetRefused;
    return { outcome: "inconclusive", evidence: expected ? message : `the gate itself failed: ${message}` };
  }
}
