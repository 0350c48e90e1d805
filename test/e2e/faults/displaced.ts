import assert from "node:assert/strict";
import { liveColor } from "../cluster.ts";
import { inWords, underLoad } from "../load.ts";
import { CANDIDATE, inPhase, QUICK, releaseOf, startRelease } from "../release.ts";
import type { Step } from "../step.ts";

export const displaced: Step = {
  name: "a release that sleeps in its bake while another command takes over and rolls back changes nothing when it wakes",
  async run() {
    const before = await liveColor();
    const load = await underLoad(async () => {
      const sleeper = startRelease("run", { args: CANDIDATE });
      await sleeper.until(inPhase("bake"));
      sleeper.child.kill("SIGSTOP");
      await releaseOf(QUICK, "rollback", "--take-over");
      assert.equal(await liveColor(), before);
      sleeper.child.kill("SIGCONT");
      const { code, result, reason } = await sleeper.ended;
      assert.deepEqual({ code, result }, { code: 6, result: "lease-held" }, reason);
    });
    assert.equal(await liveColor(), before);
    return inWords(load);
  },
};
