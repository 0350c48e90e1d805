import assert from "node:assert/strict";
import { other } from "../../../environment/color.ts";
import { allReady, liveColor } from "../cluster.ts";
import { inWords, underLoad } from "../load.ts";
import { CANDIDATE, PATIENT, QUICK, releaseOf, status } from "../release.ts";
import type { Step } from "../step.ts";
import { isQuiet, scale } from "./disturb.ts";

export const standbyAtZero: Step = {
  name: "a standby that others scaled to 0 is named by status, and a rollback starts it before it gets the traffic",
  async run() {
    const old = await liveColor();
    await releaseOf(PATIENT, "run", ...CANDIDATE);
    assert.equal(await liveColor(), other(old));
    await scale(old, 0);
    await isQuiet(old, 0);
    const { colors } = await status(QUICK);
    const problems = colors.find(({ color }) => color === old)?.problems ?? [];
    assert.match(problems.join(), /stands at 0 pods/);
    const load = await underLoad(() => releaseOf(QUICK, "rollback"));
    assert.equal(await liveColor(), old);
    await allReady();
    return inWords(load);
  },
};
