import assert from "node:assert/strict";
import { other } from "../../../environment/color.ts";
import { allReady, kubectl, liveColor } from "../cluster.ts";
import { inWords, underLoad } from "../load.ts";
import { CANDIDATE, inPhase, PATIENT, startRelease } from "../release.ts";
import type { Step } from "../step.ts";
import { isQuiet, lacksPods, podNames, scale } from "./disturb.ts";

const QUOTA = "e2e-pods";

export const scaleUpHeldBack: Step = {
  name: "a scale-up in the bake whose pod a quota holds back is no failure of the version",
  async run() {
    const old = await liveColor();
    const candidate = other(old);
    const size = (await podNames(candidate)).length;
    try {
      const load = await underLoad(async () => {
        const release = startRelease("run", { environment: PATIENT, args: CANDIDATE });
        await release.until(inPhase("bake"));
        await kubectl("create", "quota", QUOTA, `--hard=pods=${2 * size}`);
        await scale(candidate, size + 1);
        await lacksPods(candidate);
        const { code, result, reason } = await release.ended;
        assert.deepEqual({ code, result }, { code: 0, result: "released" }, reason);
      });
      assert.equal(await liveColor(), candidate);
      return inWords(load);
    } finally {
      await kubectl("delete", "quota", QUOTA, "--ignore-not-found");
      await scale(candidate, size);
      await isQuiet(candidate, size);
      await allReady();
    }
  },
};
