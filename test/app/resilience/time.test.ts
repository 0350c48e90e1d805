import { describe, expect, it } from "@jest/globals";
import { SYSTEM_TIME } from "../../../app/src/resilience/time.ts";
import { fakeTime } from "./fake-clock.ts";

describe("time", () => {
  it("stands still while the clock is behind, and goes on from there", () => {
    const { clock, time } = fakeTime();
    const before = time.now();
    clock.jump(-60_000);
    expect(time.now()).toBe(before);
    clock.advance(10);

    expect(time.now()).toBe(before + 10);
  });

  it("calls back once when the time has come, in the order of the times", () => {
    const { clock, time } = fakeTime();
    const rung: number[] = [];
    for (const delay of [5000, 10, 90_000]) time.at(time.now() + delay, () => rung.push(delay));
    clock.advance(9);
    expect(rung).toEqual([]);
    clock.advance(10_000);
    expect(rung).toEqual([10, 5000]);
    clock.advance(100_000);

    expect(rung).toEqual([10, 5000, 90_000]);
  });

  it("does not call back what was cleared, and keeps no timer for it", () => {
    const { clock, time } = fakeTime();
    let rings = 0;
    time.at(time.now() + 10, () => (rings += 1)).clear();
    clock.advance(100);

    expect([rings, clock.timers]).toEqual([0, 0]);
  });

  it("waits for longer than a timer of Node can, and for ever where it is told to", () => {
    const { clock, time } = fakeTime();
    const rung: string[] = [];
    time.at(Infinity, () => rung.push("never"));
    time.at(time.now() + 100 * 86_400_000, () => rung.push("in a hundred days"));
    clock.advance(99.9 * 86_400_000);
    expect(rung).toEqual([]);
    clock.advance(0.1 * 86_400_000);

    expect(rung).toEqual(["in a hundred days"]);
  });

  it("calls nothing back before its time on the process's own clock", async () => {
    const early = await Promise.all(
      Array.from({ length: 200 }, (_, index) => {
        const due = SYSTEM_TIME.now() + index / 7;
        return new Promise<boolean>((resolve) => {
          SYSTEM_TIME.at(due, () => {
            resolve(SYSTEM_TIME.now() < due);
          });
        });
      }),
    );

    expect(early.filter(Boolean)).toEqual([]);
  });
});
