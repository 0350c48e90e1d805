import { judge } from "../measure/judge.ts";
import { syntheticCalls } from "../measure/synthetic.ts";
import type { Gate } from "./gate.ts";

/** Passes when synthetic calls to the color, measured where a client would measure them, stay under the limits. */
export const metrics: Gate = {
  name: "metrics",
  phases: ["verify"],
  async check({ target, color, environment, signal }) {
    const { smoke, metrics } = environment.release;
    return judge(await syntheticCalls(await target.endpoint(color), smoke, metrics, signal), metrics);
  },
};
