import assert from "node:assert/strict";
import { other } from "../../../environment/color.ts";
import { liveColor, podIdentities } from "../cluster.ts";
import { imageOf } from "../images.ts";
import { inWords, underLoad } from "../load.ts";
import { CANDIDATE, QUICK, releaseOf } from "../release.ts";
import type { Step } from "../step.ts";
import { applySavedPlan, savePlan, type Stack } from "../terraform.ts";

export const stalePlan: Step = {
  name: "a plan that stages the idle color, saved before a switch, is refused after it and leaves the live pods alone",
  async run() {
    const live = await liveColor();
    const idle = other(live);
    const stack = `local-${idle}` as Stack;
    await savePlan(stack, { STAGE: `${idle}=${imageOf("1.0.0")}` });
    const load = await underLoad(async () => {
      await releaseOf(QUICK, "run", ...CANDIDATE);
      assert.equal(await liveColor(), idle);
      const pods = await podIdentities(idle);
      const { code, output } = await applySavedPlan(stack);
      assert.notEqual(code, 0);
      assert.match(output, /Resource precondition failed|Saved plan is stale/);
      assert.deepEqual(await podIdentities(idle), pods);
    });
    return inWords(load);
  },
};
