import { describe, expect, it } from "@jest/globals";
import { LiveCalls } from "../../../release/bake/live-calls.ts";
import type { CallHistogram } from "../../../release/measure/histogram.ts";
import type { FromPods } from "../../../release/ports/probe.ts";

const never = new AbortController().signal;

/** A pod's count: all calls, failed ones, and those above 0.3 s. */
const counted = (calls: number, errors = 0, slow = 0): CallHistogram => ({
  calls,
  errors,
  buckets: new Map([
    [0.25, calls - slow],
    [0.3, calls - slow],
    [0.5, calls],
    [Infinity, calls],
  ]),
});

type Scrape = Readonly<Record<string, CallHistogram>>;

const liveCalls = (...scrapes: Scrape[]) => liveCallsAbove(300, ...scrapes);

function liveCallsAbove(objectiveMs: number, ...scrapes: Scrape[]) {
  const left = [...scrapes];
  const calls = (): Promise<FromPods<ReadonlyMap<string, CallHistogram>>> =>
    Promise.resolve({ pods: new Map(Object.entries(left.shift() ?? {})), unread: [] });
  return new LiveCalls({ calls }, "green", objectiveMs);
}

describe("live calls", () => {
  it("are not those whose clients went away within the objective, but those whose clients waited longer are slow", async () => {
    const gone = { ...counted(120, 0, 3), cancelled: counted(20, 0, 3).buckets };
    const live = liveCalls({ a: counted(100) }, { a: gone });
    await live.read(never);

    expect(await live.read(never)).toMatchObject({ calls: 3, failed: 0, slow: 3 });
  });

  it("are what the pods counted between two readings: failed, slow, or neither", async () => {
    const live = liveCalls({ a: counted(100, 50, 50) }, { a: counted(110, 52, 53) }, { a: counted(110, 52, 53) });
    await live.read(never);

    expect(await live.read(never)).toEqual({ calls: 10, failed: 2, slow: 3, slowAboveMs: 300, unread: [] });
    expect(await live.read(never)).toEqual({ calls: 0, failed: 0, slow: 0, unread: [] });
  });

  it("are slow above the next lower bound, which is named, where the histogram lacks the limit", async () => {
    const live = liveCallsAbove(290, { a: counted(0) }, { a: counted(10, 0, 3) });
    await live.read(never);

    expect(await live.read(never)).toMatchObject({ slow: 3, slowAboveMs: 250 });
  });

  it("are neither slow nor fast where no bound is as low as the limit", async () => {
    const live = liveCallsAbove(100, { a: counted(0) }, { a: counted(10) }, { a: counted(10) });
    await live.read(never);

    expect((await live.read(never)).slow).toBeUndefined();
    expect(await live.read(never)).toMatchObject({ calls: 0, slow: 0 });
  });

  it("are without the release's own, also where a pod counts them later", async () => {
    const live = liveCalls({ a: counted(0) }, { a: counted(3, 1, 2) }, { a: counted(10, 1, 3) });
    await live.read(never);
    for (let call = 0; call < 5; call++) live.subtract({ failed: call === 0, slow: call < 2 });

    expect(await live.read(never)).toMatchObject({ calls: 0, failed: 0, slow: 0 });
    expect(await live.read(never)).toMatchObject({ calls: 5, failed: 0, slow: 1 });
  });

  it("are without what a pod counted before it was read for the first time", async () => {
    const live = liveCalls({ a: counted(0) }, { a: counted(5), b: counted(3000) }, { a: counted(5), b: counted(3002) });
    await live.read(never);

    expect(await live.read(never)).toMatchObject({ calls: 5 });
    expect(await live.read(never)).toMatchObject({ calls: 2 });
  });

  it("of a pod that was not read for a while come with its next reading", async () => {
    const live = liveCalls({ a: counted(0), b: counted(0) }, { a: counted(5) }, { a: counted(6), b: counted(9) });
    await live.read(never);

    expect(await live.read(never)).toMatchObject({ calls: 5 });
    expect(await live.read(never)).toMatchObject({ calls: 10 });
  });
});
