import type { Listener } from "../events.ts";
import { TargetUnreachable } from "../target.ts";
import type { Gate, GateContext, Verdict } from "./gate.ts";

export interface Answer extends Verdict {
  readonly gate: string;
}

/**
 * Asks one gate and tells the listener what it said.
 *
 * A gate that could not look holds: neither a target out of reach nor a fault in the gate itself is evidence about the color.
 */
export async function ask(
  gate: Gate,
  phase: "verify" | "bake",
  { listener, ...context }: GateContext & { readonly listener: Listener },
): Promise<Answer> {
  const start = performance.now();
  const verdict = await look(gate, context);
  const answer = { gate: gate.name, ...verdict };
  listener({ type: "gate", phase, ...answer, seconds: (performance.now() - start) / 1000 });
  return answer;
}

async function look(gate: Gate, context: GateContext): Promise<Verdict> {
  try {
    return await gate.check(context);
  } catch (error) {
    context.signal.throwIfAborted();
    const message = error instanceof Error ? error.message : String(error);
    const evidence = error instanceof TargetUnreachable ? message : `could not look: ${message}`;
    return { outcome: "hold", evidence };
  }
}
