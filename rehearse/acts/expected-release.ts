import type { ReleaseResult } from "../../release/events.ts";
import type { ReleaseRun } from "../record/result.ts";

export interface Expectation {
  readonly exitCode: number;
  readonly result: ReleaseResult["result"];
  /** The gate that must have said no, and in which phase. */
  readonly failing?: { readonly gate: string; readonly phase: "verify" | "bake" };
}

/** Compares how a release went with how it had to: a sentence for each difference. */
export function differences(run: ReleaseRun, expected: Expectation): string[] {
  const problems: string[] = [];
  if (run.result !== expected.result || run.exitCode !== expected.exitCode) {
    problems.push(
      `the release of ${run.version} had to end as '${expected.result}' with exit code ${expected.exitCode}, ` +
        `but was '${run.result}' with ${run.exitCode}: ${run.reason}`,
    );
  }
  const failing = run.gates.filter(({ outcome }) => outcome === "fail");
  const { gate, phase } = expected.failing ?? {};
  if (gate !== undefined && !failing.some((found) => found.gate === gate && found.phase === phase)) {
    problems.push(`the gate '${gate}' had to say no in ${phase ?? "a phase"}, and did not`);
  }
  for (const found of failing) {
    if (found.gate !== gate) problems.push(`the gate '${found.gate}' said no in ${found.phase}: ${found.evidence}`);
  }
  return problems;
}
