import type { EngineOptions } from "./engine-options.ts";
import { ask, type Answer } from "./gates/ask.ts";
import type { Result } from "./machine.ts";
import type { ReleaseRecord } from "./record.ts";
import type { Snapshot } from "./target.ts";

interface VerifyOptions extends EngineOptions {
  readonly snapshot: Snapshot;
  readonly release: ReleaseRecord;
}

/**
 * Asks every gate about the idle color, one after the other: gates that measure must not disturb each other, and the list goes
 * from cheap to dear, so that the first refusal spares the rest.
 */
export async function verify(options: VerifyOptions): Promise<Result> {
  const { gates, release } = options;
  const holds: Answer[] = [];
  for (const gate of gates.filter(({ phases }) => phases.includes("verify"))) {
    const answer = await ask(gate, "verify", { ...options, color: release.to, version: release.version });
    if (answer.outcome === "fail") return { outcome: "fail", reason: said(answer) };
    if (answer.outcome === "hold") holds.push(answer);
  }
  return holds.length === 0
    ? { outcome: "pass", reason: "every gate passed" }
    : { outcome: "hold", reason: holds.map(said).join("; ") };
}

const said = ({ gate, evidence }: Answer) => `${gate}: ${evidence}`;
