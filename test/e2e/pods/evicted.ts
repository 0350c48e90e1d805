import assert from "node:assert/strict";
import { other } from "../../../environment/color.ts";
import { allReady, liveColor } from "../cluster.ts";
import { inWords, underLoad } from "../load.ts";
import { CANDIDATE, inPhase, PATIENT, startRelease } from "../release.ts";
import type { Step } from "../step.ts";
import { evict, podNames } from "./disturb.ts";

export const evicted: Step = {
  name: "pods that are evicted before a release and in its bake do not disturb it",
  async run() {
    const old = await liveColor();
    const candidate = other(old);
    await evict((await podNames(candidate))[0] ?? "");
    const load = await underLoad(async () => {
      const release = startRelease("run", { environment: PATIENT, args: CANDIDATE });
      await release.until(inPhase("bake"));
      await evict((await podNames(candidate))[0] ?? "");
      const { code, result, reason } = await release.ended;
      assert.deepEqual({ code, result }, { code: 0, result: "released" }, reason);
    });
    assert.equal(await liveColor(), candidate);
    await allReady();
    return inWords(load);
  },
};
