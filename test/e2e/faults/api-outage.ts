import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { liveColor } from "../cluster.ts";
import { mustRun } from "../command.ts";
import { inWords, underLoad } from "../load.ts";
import { CANDIDATE, inPhase, startRelease } from "../release.ts";
import type { Step } from "../step.ts";

/** Nodes count as lost after 50 s without an API server. */
const OUTAGE_SECONDS = 30;

/**
 * `E2E_STOP_API` and `E2E_START_API` are shell commands that end the API server and bring it back.
 */
export const apiOutage: Step = {
  name: `an API server that is away for ${OUTAGE_SECONDS} s during a bake pauses the release, which then ends as it should`,
  needs: ["E2E_STOP_API", "E2E_START_API"],
  async run() {
    const before = await liveColor();
    const load = await underLoad(async () => {
      const release = startRelease("run", { environment: "local", args: CANDIDATE });
      await release.until(inPhase("bake"));
      await shell("E2E_STOP_API");
      try {
        await release.until((event) => event.type === "progress" && event.message.startsWith("paused: "));
        await sleep(OUTAGE_SECONDS * 1000);
      } finally {
        await shell("E2E_START_API");
      }
      const { code, result, reason } = await release.ended;
      assert.deepEqual({ code, result }, { code: 0, result: "released" }, reason);
    });
    assert.notEqual(await liveColor(), before);
    return inWords(load);
  },
};

const shell = (variable: string) => mustRun("bash", ["-c", process.env[variable] ?? "false"]);
