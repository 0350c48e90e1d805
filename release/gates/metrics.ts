import { Reach } from "../measure/reach.ts";
import { judge } from "../measure/judge.ts";
import { syntheticCalls } from "../measure/synthetic.ts";
import type { Gate } from "./gate.ts";

/** Passes if synthetic calls to the color stay within the limits, measured as a client would measure them. */
export const metrics: Gate = {
  name: "metrics",
  phases: ["verify"],
  async check({ target, color, environment, signal }) {
    const { smoke, metrics } = environment.release;
    const reach = new Reach(await target.probe.endpoint(color, signal), target.traffic);
    const measurement = await syntheticCalls(reach.endpoint, smoke, metrics, signal);
    if (measurement.errors > 0) await reach.check(signal);
    return judge(measurement, metrics);
  },
};
