import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { liveColor } from "../cluster.ts";
import { mustRun } from "../command.ts";
import { inWords, underLoad } from "../load.ts";
import { CANDIDATE, inPhase, PATIENT, startRelease } from "../release.ts";
import type { Step } from "../step.ts";

/**
 * How long the API server is away, with the time that it takes to start. A node that has not reported for 50 s counts as
 * lost, and its pods get no traffic. It reports every 10 s, so the outage begins right after a report.
 */
const OUTAGE_SECONDS = 30;

/**
 * `E2E_STOP_API` and `E2E_START_API` are shell commands that end the API server and bring it back.
 */
export const apiOutage: Step = {
  name: `an API server that is away for ${OUTAGE_SECONDS} s during a bake pauses the release, which then ends as it should`,
  needs: ["E2E_STOP_API", "E2E_START_API"],
  async run() {
    const before = await liveColor();
    let seconds = 0;
    const startSeconds = await outage(() => Promise.resolve());
    const load = await underLoad(async () => {
      const release = startRelease("run", { environment: PATIENT, args: CANDIDATE });
      await release.until(inPhase("bake"));
      await nodeReports();
      seconds = await outage(async () => {
        const stoppedAt = performance.now();
        await release.until((event) => event.type === "progress" && event.message.startsWith("paused: "));
        await sleep((OUTAGE_SECONDS - startSeconds) * 1000 - (performance.now() - stoppedAt));
      });
      const { code, result, reason } = await release.ended;
      assert.deepEqual({ code, result }, { code: 0, result: "released" }, reason);
    });
    assert.notEqual(await liveColor(), before);
    return `away for at most ${Math.round(seconds)} s; ${inWords(load)}`;
  },
};

/** Returns the seconds from the end of the API server to its return, which is as late as its start takes. */
async function outage(meanwhile: () => Promise<void>): Promise<number> {
  const stoppedAt = performance.now();
  await shell("E2E_STOP_API");
  try {
    await meanwhile();
  } finally {
    await shell("E2E_START_API");
  }
  return (performance.now() - stoppedAt) / 1000;
}

/** Waits until a node has reported that it is alive. */
async function nodeReports(): Promise<void> {
  const args = ["get", "lease", "--namespace=kube-node-lease", "--output=jsonpath={.items[*].spec.renewTime}"];
  const before = await mustRun("kubectl", args);
  while ((await mustRun("kubectl", args)) === before) await sleep(300);
}

const shell = (variable: string) => mustRun("bash", ["-c", process.env[variable] ?? "false"]);
