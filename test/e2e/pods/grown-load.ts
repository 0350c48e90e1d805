import assert from "node:assert/strict";
import { other } from "../../../environment/color.ts";
import { allReady, liveColor } from "../cluster.ts";
import { inWords, underLoad } from "../load.ts";
import { CANDIDATE, inPhase, startRelease } from "../release.ts";
import type { Step } from "../step.ts";
import { breakPod, hasReady, isQuiet, podNames, scale } from "./disturb.ts";

const GROWN = 4;

/** A bake that waits for pods to start, however slow the machine is. The failing version ends it early. */
const ENVIRONMENT = "test/e2e/pods/long-bake-environment.ts";

/** Nodes learn within a second that the traffic has moved, where other changes came right before. */
const LEARNED_WITHIN_MS = 1000;

/** All pods of the failing version end at once, and calls fail until the nodes send them to the old color again. */
export const grownLoad: Step = {
  name: `a version that fails after its color grew to ${GROWN} pods is rolled back to as many of the old one`,
  async run() {
    const old = await liveColor();
    const candidate = other(old);
    const size = (await podNames(candidate)).length;
    let backAt = Infinity;
    try {
      const load = await underLoad(
        async () => {
          const release = startRelease("run", { environment: ENVIRONMENT, args: CANDIDATE });
          await release.until(inPhase("bake"));
          await scale(candidate, GROWN);
          await hasReady(candidate, GROWN);
          // The engine raises it, with no load of its own.
          await hasReady(old, GROWN);
          for (const pod of await podNames(candidate)) await breakPod(pod);
          await release.until((event) => event.type === "traffic" && event.to === old);
          backAt = Date.now() + LEARNED_WITHIN_MS;
          const { code, result, reason } = await release.ended;
          assert.deepEqual({ code, result }, { code: 3, result: "rolled-back" }, reason);
          assert.equal((await podNames(old)).length, GROWN);
        },
        ({ at }) => at < backAt,
      );
      assert.equal(await liveColor(), old);
      return `${old} had ${GROWN} pods when it got the traffic back; ${inWords(load)} after that`;
    } finally {
      // Broken pods never start again; their Deployment makes new ones.
      await scale(candidate, 0);
      await isQuiet(candidate, 0);
      for (const color of [candidate, old]) {
        await scale(color, size);
        await isQuiet(color, size);
      }
      await allReady();
    }
  },
};
