import { judge } from "../measure/judge.ts";
import { syntheticCalls } from "../measure/synthetic.ts";
import type { Gate } from "./gate.ts";

/** Passes if synthetic calls to the color stay within the limits, measured as a client would measure them. */
export const metrics: Gate = {
  name: "metrics",
  phases: ["verify"],
  async check({ target, color, environment, signal }) {
    const { smoke, metrics } = environment.release;
    return judge(await syntheticCalls(await target.probe.endpoint(color, signal), smoke, metrics, signal), metrics);
  },
};
