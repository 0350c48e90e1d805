import { describe, expect, it, jest } from "@jest/globals";
import fc from "fast-check";
import { Alarm, SYSTEM_TIME } from "../../../app/src/resilience/time.ts";
import { fakeTime } from "./fake-clock.ts";

class Bell extends Alarm {
  readonly rung: () => void;

  constructor(rung: () => void = () => undefined) {
    super();
    this.rung = rung;
  }

  ring(): void {
    this.rung();
  }
}

describe("time", () => {
  it("stands still while its clock has jumped back, and then goes on", () => {
    const { clock, time } = fakeTime();
    const before = time.now();
    clock.jump(-60_000);
    expect(time.now()).toBe(before);
    clock.advance(5);

    expect(time.now()).toBe(before + 5);
  });

  it("rings an alarm once, on time to within a tick, however far away it is", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 20_000 }), { minLength: 1, maxLength: 40, size: "max" }),
        (delays) => {
          const { clock, time } = fakeTime();
          const start = time.now();
          const late: number[] = [];
          for (const delay of delays) {
            time.set(new Bell(() => late.push(time.now() - start - delay)), start + delay);
          }
          clock.advance(20_010);

          expect(late).toHaveLength(delays.length);
          expect(Math.min(...late)).toBeGreaterThanOrEqual(0);
          expect(Math.max(...late)).toBeLessThanOrEqual(8);
          expect(time.alarms).toBe(0);
        },
      ),
    );
  });

  it("rings none that was cleared, not even by one that rings in the same tick", () => {
    const { clock, time } = fakeTime();
    const rung: string[] = [];
    const bells: Bell[] = ["first", "second"].map(
      (name) =>
        new Bell(() => {
          rung.push(name);
          for (const bell of bells) time.clear(bell);
        }),
    );
    for (const bell of bells) time.set(bell, time.now() + 50);
    clock.advance(100);

    expect(rung).toHaveLength(1);
  });

  it("rings everything that was due when the clock jumps ahead, and keeps the rest", () => {
    const { clock, time } = fakeTime();
    const rung: number[] = [];
    for (const delay of [10, 5000, 90_000]) time.set(new Bell(() => rung.push(delay)), time.now() + delay);
    clock.jump(60_000);
    clock.advance(15);
    expect(rung).toEqual([10, 5000]);
    clock.advance(31_000);

    expect(rung).toEqual([10, 5000, 90_000]);
  });

  it("never rings an alarm that is set for the end of time, and waits a hundred days for one that is not", () => {
    const { clock, time } = fakeTime();
    const rung: string[] = [];
    time.set(new Bell(() => rung.push("never")), Infinity);
    expect(time.alarms).toBe(0);
    time.set(new Bell(() => rung.push("in a hundred days")), time.now() + 100 * 86_400_000);
    clock.jump(99.9 * 86_400_000);
    clock.advance(1000);
    expect(rung).toEqual([]);
    clock.jump(0.1 * 86_400_000);
    clock.advance(10_000);

    expect(rung).toEqual(["in a hundred days"]);
  });

  it("hangs any number of alarms on one timer, whatever is set and cleared", () => {
    const { clock, time } = fakeTime();
    const bells = Array.from({ length: 1000 }, () => new Bell());
    for (const [index, bell] of bells.entries()) {
      time.set(bell, time.now() + ((index * 37) % 5000));
      expect(clock.timers).toBe(1);
    }
    for (const bell of bells.slice(100)) time.clear(bell);
    clock.advance(1000);

    expect(clock.timers).toBe(1);
    expect(time.alarms).toBeGreaterThan(0);
  });

  it("rings the others on time when one throws, and tells of it as a warning", () => {
    const { clock, time } = fakeTime();
    const warn = jest.spyOn(process, "emitWarning").mockImplementation(() => undefined);
    const rung: string[] = [];
    for (const name of ["first", "second"]) time.set(new Bell(() => rung.push(name)), time.now() + 20);
    time.set(
      new Bell(() => {
        throw new Error("an alarm's own mistake");
      }),
      time.now() + 20,
    );
    time.set(new Bell(() => rung.push("later")), time.now() + 40);
    clock.advance(50);
    const warnings = warn.mock.calls.map(([warning]) => String(warning));
    warn.mockRestore();

    expect(rung.toSorted()).toEqual(["first", "later", "second"]);
    expect(warnings).toEqual([expect.stringContaining("an alarm's own mistake")]);
  });

  it("keeps alarms that are set while others ring", () => {
    const { clock, time } = fakeTime();
    let rings = 0;
    const bell = new Bell(() => {
      rings += 1;
      if (rings < 5) time.set(bell, time.now() + 100);
    });
    time.set(bell, time.now() + 100);
    clock.advance(1000);

    expect(rings).toBe(5);
  });

  it("rings by the process's own clock", async () => {
    const start = performance.now();
    await new Promise<void>((resolve) => {
      SYSTEM_TIME.set(new Bell(resolve), SYSTEM_TIME.now() + 20);
    });

    expect(performance.now() - start).toBeGreaterThanOrEqual(20);
  });
});
