import { judge } from "../measure/judge.ts";
import type { Gate } from "./gate.ts";

/** Passes while the color's live calls stay under the limits: errors and p95 since the last look, from its own metrics. */
export const bake: Gate = {
  name: "bake",
  phases: ["bake"],
  async check({ window, environment }) {
    if (window === undefined) return { outcome: "hold", evidence: "no live traffic is measured in this phase" };
    return judge(await window.advance(), environment.release.bake);
  },
};
