import type { Verdict } from "../gates/gate.ts";
import type { Measurement } from "./window.ts";

export interface Limits {
  readonly minCalls: number;
  readonly maxErrorRatio: number;
  readonly maxP95Ms: number;
}

/** Compares a measurement with its limits. Too few calls are inconclusive. */
export function judge({ calls, errors, p95Ms }: Measurement, limits: Limits): Verdict {
  if (calls < limits.minCalls || p95Ms === undefined) {
    return {
      outcome: "inconclusive",
      evidence: `${calls} calls, fewer than the ${limits.minCalls} that count as data`,
    };
  }
  const ratio = errors / calls;
  const evidence =
    `${calls} calls, ${percent(ratio)} failed (limit ${percent(limits.maxErrorRatio)}), ` +
    `p95 ${Math.round(p95Ms)} ms (limit ${limits.maxP95Ms} ms)`;
  return { outcome: ratio <= limits.maxErrorRatio && p95Ms <= limits.maxP95Ms ? "pass" : "fail", evidence };
}

const percent = (ratio: number) => `${(100 * ratio).toFixed(1)} %`;
