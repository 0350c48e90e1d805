import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import type { ReleaseEvent } from "../../../release/events.ts";
import { liveColor } from "../cluster.ts";
import { inWords, underLoad } from "../load.ts";
import { CANDIDATE, QUICK, releaseOf, startRelease, status, type Running } from "../release.ts";
import type { Step } from "../step.ts";

const RANDOM_KILLS = 20;

/** Longer than a whole quick release, so that some instants are in each phase. */
const LATEST_KILL_MS = 16_000;

export const killedAfterEachStep: Step = {
  name: "a release that is killed after each of its steps is resumed by 'run', with no failed call",
  async run() {
    const phases = ["stage", "verify", "promote", "bake", "retire"];
    const load = await underLoad(async () => {
      for (const phase of phases) {
        const before = await liveColor();
        await killed((release) => release.until((event) => event.type === "phase" && event.phase === phase));
        await releaseOf(QUICK, "run", "--take-over");
        await ended("released");
        assert.notEqual(await liveColor(), before);
      }
    });
    return `${phases.length} kills; ${inWords(load)}`;
  },
};

export const killedAtRandom: Step = {
  name: `a release that is killed at ${RANDOM_KILLS} random instants is resumed or rolled back, with no failed call`,
  async run() {
    const outcomes = { released: 0, back: 0 };
    const load = await underLoad(async () => {
      for (let kill = 0; kill < RANDOM_KILLS; kill += 1) {
        const before = await liveColor();
        const afterMs = Math.round((LATEST_KILL_MS * (kill + Math.random())) / RANDOM_KILLS);
        await killed((release) => Promise.race([sleep(afterMs), release.ended]));
        const { release } = await status(QUICK);
        // Nothing had begun, or everything had ended.
        if (release === undefined || release.phase === "ended") continue;
        const back = kill % 2 === 1;
        await releaseOf(QUICK, back ? "rollback" : "run", "--take-over");
        const after = await liveColor();
        if (back) assert.equal(after, before, `killed after ${afterMs} ms in ${release.phase}`);
        outcomes[back ? "back" : "released"] += 1;
      }
    });
    return `${outcomes.released} resumed, ${outcomes.back} rolled back; ${inWords(load)}`;
  },
};

async function killed(when: (release: Running) => Promise<unknown>): Promise<readonly ReleaseEvent[]> {
  // The lease of the one before has not expired yet.
  const release = startRelease("run", { args: [...CANDIDATE, "--take-over"] });
  await when(release);
  release.child.kill("SIGKILL");
  return (await release.ended).events;
}

async function ended(outcome: string): Promise<void> {
  const { release } = await status(QUICK);
  assert.deepEqual({ phase: release?.phase, outcome: release?.outcome }, { phase: "ended", outcome });
}
