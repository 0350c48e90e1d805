import { judge } from "../measure/judge.ts";
import type { Gate } from "./gate.ts";

/** Passes while the color's live calls stay within the limits: error ratio and p95 since the last check. */
export const bake: Gate = {
  name: "bake",
  phases: ["bake"],
  async check({ window, environment, signal }) {
    if (window === undefined) return { outcome: "inconclusive", evidence: "no live traffic is measured in this phase" };
    return judge(await window.advance(signal), environment.release.bake);
  },
};
