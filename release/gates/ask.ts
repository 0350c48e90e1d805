import { TargetRefused, TargetUnreachable } from "../errors.ts";
import type { Listener } from "../events.ts";
import type { Gate, GateContext, Verdict } from "./gate.ts";

export interface Answer extends Verdict {
  readonly gate: string;
}

/**
 * Runs one gate and reports its verdict.
 *
 * A gate that could not check is inconclusive: neither an outage, nor a missing right, nor a fault in the gate itself is
 * evidence about the color.
 */
export async function ask(
  gate: Gate,
  phase: "verify" | "bake",
  { listener, ...context }: GateContext & { readonly listener: Listener },
): Promise<Answer> {
  const start = context.clock.now();
  const verdict = await check(gate, context);
  const answer = { gate: gate.name, ...verdict };
  listener({ type: "gate", phase, ...answer, seconds: (context.clock.now() - start) / 1000 });
  return answer;
}

async function check(gate: Gate, context: GateContext): Promise<Verdict> {
  try {
    return await gate.check(context);
  } catch (error) {
    context.signal.throwIfAborted();
    const message = error instanceof Error ? error.message : String(error);
    const expected = error instanceof TargetUnreachable || error instanceof TargetRefused;
    return { outcome: "inconclusive", evidence: expected ? message : `the gate itself failed: ${message}` };
  }
}
