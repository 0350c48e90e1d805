import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { liveColor } from "../cluster.ts";
import { mustRun } from "../command.ts";
import { inWords, underLoad } from "../load.ts";
import { CANDIDATE, inPhase, startRelease } from "../release.ts";
import type { Step } from "../step.ts";

/**
 * How long the API server is away, with the time that it takes to start. After 50 s nodes count as lost, and a node may
 * report itself as late as 10 s after the API server is back.
 */
const OUTAGE_SECONDS = 30;
const START_SECONDS = 6;

/**
 * `E2E_STOP_API` and `E2E_START_API` are shell commands that end the API server and bring it back.
 */
export const apiOutage: Step = {
  name: `an API server that is away for ${OUTAGE_SECONDS} s during a bake pauses the release, which then ends as it should`,
  needs: ["E2E_STOP_API", "E2E_START_API"],
  async run() {
    const before = await liveColor();
    let seconds = 0;
    const load = await underLoad(async () => {
      const release = startRelease("run", { environment: "local", args: CANDIDATE });
      await release.until(inPhase("bake"));
      await shell("E2E_STOP_API");
      const stoppedAt = performance.now();
      try {
        await release.until((event) => event.type === "progress" && event.message.startsWith("paused: "));
        await sleep((OUTAGE_SECONDS - START_SECONDS) * 1000 - (performance.now() - stoppedAt));
      } finally {
        await shell("E2E_START_API");
        seconds = Math.round((performance.now() - stoppedAt) / 1000);
      }
      const { code, result, reason } = await release.ended;
      assert.deepEqual({ code, result }, { code: 0, result: "released" }, reason);
    });
    assert.notEqual(await liveColor(), before);
    return `away for at most ${seconds} s; ${inWords(load)}`;
  },
};

const shell = (variable: string) => mustRun("bash", ["-c", process.env[variable] ?? "false"]);
