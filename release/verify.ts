import type { EngineOptions } from "./engine-options.ts";
import { ask, type Answer } from "./gates/ask.ts";
import type { Result } from "./machine.ts";
import type { ReleaseRecord } from "./record.ts";
import type { Snapshot } from "./snapshot.ts";

interface VerifyOptions extends EngineOptions {
  readonly snapshot: Snapshot;
  readonly release: ReleaseRecord;
}

/**
 * Runs every gate on the idle color, one after the other, because gates that measure would disturb each other. The list
 * starts with the cheap gates, and the first failure ends it.
 */
export async function verify(options: VerifyOptions): Promise<Result> {
  const { gates, release } = options;
  const of = { color: release.to, version: release.version };
  const needed = release.capacity ?? 1;
  const unclear: Answer[] = [];
  for (const gate of gates.filter(({ phases }) => phases.includes("verify"))) {
    const answer = await ask(gate, "verify", { ...options, ...of, needed });
    if (answer.outcome === "fail") return { outcome: "fail", reason: inWords(answer) };
    if (answer.outcome === "inconclusive") unclear.push(answer);
  }
  return unclear.length === 0
    ? { outcome: "pass", reason: "every gate passed" }
    : { outcome: "inconclusive", reason: unclear.map(inWords).join("; ") };
}

const inWords = ({ gate, evidence }: Answer) => `${gate}: ${evidence}`;
