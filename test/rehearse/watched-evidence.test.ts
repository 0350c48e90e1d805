import { describe, expect, it } from "@jest/globals";
import type { ReleaseEvent } from "../../release/events.ts";
import type { CallHistogram } from "../../release/measure/histogram.ts";
import { Recording } from "../../rehearse/record/recording.ts";
import { TargetWatch } from "../../rehearse/watch.ts";
import { MemoryTarget, quickEnvironment } from "../release/memory-target.ts";

/** A target whose live pod has counted calls. */
class Counting extends MemoryTarget {
  calls = 0;
  slow = 0;

  override callsByPod() {
    const buckets = new Map([
      [0.1, this.calls - this.slow],
      [Infinity, this.calls],
    ]);
    const histogram: CallHistogram = { calls: this.calls, errors: 0, buckets };
    return Promise.resolve({ pods: new Map([["pod", histogram]]), unread: [] });
  }

  inPhase(phase: "verify" | "bake" | "ended", mark = "one"): void {
    const release = { mark, image: "new", version: "2", from: "blue", to: "green", startedAt: "2026-01-01T00:00:00Z" };
    this.release = { ...release, from: "blue", to: "green", phase };
  }
}

const slowOnes = (recording: Recording) =>
  recording.moments
    .flatMap((moment) => (moment.type === "release" ? [moment.event] : []))
    .filter((event): event is Extract<ReleaseEvent, { type: "evidence" }> => event.type === "evidence")
    .filter(({ objective }) => objective === "slow");

describe("a watch of a bake", () => {
  it("counts the calls of the new color from the beginning of the bake, and says what they amount to", async () => {
    const target = new Counting();
    const recording = new Recording();
    const watch = new TargetWatch(target, recording, quickEnvironment());
    const check = async (calls: number, slow: number) => {
      target.calls += calls;
      target.slow += slow;
      await watch.check(new AbortController().signal);
    };
    target.inPhase("verify");
    await check(500, 0);
    target.inPhase("bake");
    await check(500, 0);
    await check(100, 2);
    await check(100, 60);
    target.inPhase("bake", "another release");
    await check(0, 0);
    await check(10, 0);

    const [first, second] = slowOnes(recording);
    expect(first).toMatchObject({ source: "live", calls: 100, bad: 2, limit: 0.05 });
    expect(second).toMatchObject({ calls: 200, bad: 62 });
    expect(second?.lower).toBeGreaterThan(0.05);
    expect(slowOnes(recording).at(-1)).toMatchObject({ calls: 10, bad: 0 });
  });
});
