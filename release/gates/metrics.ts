import { callsInWords } from "../bake/in-words.ts";
import { objectives } from "../bake/objectives.ts";
import { erasOf } from "../measure/client.ts";
import { Reach } from "../measure/reach.ts";
import { syntheticLoad } from "../measure/synthetic.ts";
import { ExcessTest } from "../statistics/excess-test.ts";
import type { Gate } from "./gate.ts";

/**
 * Passes once synthetic calls to the color have ruled out what the environment calls intolerable, and fails once they show
 * that a limit is exceeded: the tests of the bake, on fresh calls measured as a client would measure them.
 */
export const metrics: Gate = {
  name: "metrics",
  phases: ["verify"],
  async check({ target, color, environment, signal }) {
    const { smoke, metrics, bake } = environment.release;
    const all = objectives({ ...metrics, detect: bake.detect, alpha: bake.alpha });
    const tests = all.map((objective) => {
      return { objective, test: new ExcessTest({ limit: objective.limit, alpha: bake.alpha / all.length }) };
    });
    const exceeded = () => tests.some(({ test }) => test.exceeded !== undefined);
    const enough = () => tests.every(({ objective, test }) => objective.enough.areEnough(test.counts));
    let calls = 0;
    let failed = 0;
    const onCall = (ms: number, isWarm: boolean) => {
      calls += 1;
      if (ms === Infinity) failed += 1;
      for (const { objective, test } of tests) {
        if (objective.name === "slow" && !isWarm) continue;
        const bad = objective.name === "failed" ? ms === Infinity : ms < Infinity && ms > metrics.maxP95Ms;
        test.add({ since: calls - 1, until: calls, calls: 1, bad: bad ? 1 : 0 });
      }
      return exceeded() || enough();
    };

    const endpoint = await target.probe.endpoint(color, signal);
    try {
      const reach = new Reach(endpoint, target.traffic);
      await syntheticLoad(reach, smoke, { ...metrics, eras: erasOf(environment.server), onCall }, signal);
      if (failed > 0) await reach.check(signal);
    } finally {
      await endpoint.close();
    }
    const kinds = tests.map(({ objective, test }) => ({ name: objective.name, estimate: test.estimate }));
    const evidence = callsInWords("synthetic", kinds);
    if (exceeded()) return { outcome: "fail", evidence };
    if (enough()) return { outcome: "pass", evidence };
    const why = `these do not rule out ${bake.detect} × the limit; raise release.metrics.calls to allow more`;
    return { outcome: "fail", evidence: `${evidence}; ${why}` };
  },
};
