import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { EnoughCalls } from "../../../release/statistics/enough-calls.ts";
import { probabilityOfStop } from "./binomial.ts";

describe("the calls that are enough for a limit of 0.5 % and three times that", () => {
  const enough = new EnoughCalls({ limit: 0.005, detect: 3 });

  it("are about 360 if none is bad, 560 at half of the limit and 1,000 at the limit", () => {
    expect(enough.callsNeeded()).toEqual({ none: 359, half: 542, atLimit: 989 });
  });

  it("are more for nine versions of ten than for one of two", () => {
    expect(enough.callsNeeded(0.9)).toEqual({ none: 359, half: 989, atLimit: 2006 });
  });

  it("are so exactly from the number that is printed on", () => {
    expect(enough.areEnough({ calls: 358, bad: 0 })).toBe(false);
    expect(enough.areEnough({ calls: 359, bad: 0 })).toBe(true);
    expect(enough.areEnough({ calls: 359, bad: 1 })).toBe(false);
  });

  it("are missing by what is left if no further call is bad", () => {
    expect(enough.missing({ calls: 0, bad: 0 })).toBe(359);
    expect(enough.missing({ calls: 359, bad: 0 })).toBe(0);
    expect(enough.missing({ calls: 359, bad: 1 })).toBe(542 - 359);
    expect(enough.missing({ calls: 5000, bad: 5 })).toBe(0);
  });
});

describe("the calls that are enough", () => {
  it("have the printed number with the printed probability, followed call by call", () => {
    const enough = new EnoughCalls({ limit: 0.05, detect: 3 });
    const stops = (calls: number, bad: number) => enough.areEnough({ calls, bad });
    for (const power of [0.5, 0.8]) {
      const { half, atLimit } = enough.callsNeeded(power);

      expect(probabilityOfStop(half, 0.025, stops)).toBeGreaterThanOrEqual(power);
      expect(probabilityOfStop(half - 1, 0.025, stops)).toBeLessThan(power);
      expect(probabilityOfStop(atLimit, 0.05, stops)).toBeGreaterThanOrEqual(power);
      expect(probabilityOfStop(atLimit - 1, 0.05, stops)).toBeLessThan(power);
    }
  });

  it("are reached by an intolerable version with a probability of α at most, checked after each call", () => {
    const enough = new EnoughCalls({ limit: 0.05, detect: 3, alpha: 0.02 });
    const wrong = (share: number) => probabilityOfStop(600, share, (calls, bad) => enough.areEnough({ calls, bad }));

    expect(wrong(0.15)).toBeLessThanOrEqual(0.02);
    expect(wrong(0.2)).toBeLessThanOrEqual(wrong(0.15));
  });

  it("stay enough with more good calls, and are not enough with more bad ones if they were not before", () => {
    const enough = new EnoughCalls({ limit: 0.01, detect: 2 });
    fc.assert(
      fc.property(fc.nat(20_000), fc.nat(200), (calls, some) => {
        const bad = Math.min(some, calls);
        if (enough.areEnough({ calls, bad })) expect(enough.areEnough({ calls: calls + 1, bad })).toBe(true);
        else expect(enough.areEnough({ calls: calls + 1, bad: bad + 1 })).toBe(false);
      }),
    );
  });

  it("become enough after what is missing, and not before", () => {
    const enough = new EnoughCalls({ limit: 0.01, detect: 3 });
    fc.assert(
      fc.property(fc.nat(5000), fc.nat(100), (calls, some) => {
        const bad = Math.min(some, calls);
        const missing = enough.missing({ calls, bad });

        expect(enough.areEnough({ calls: calls + missing, bad })).toBe(true);
        if (missing > 0) expect(enough.areEnough({ calls: calls + missing - 1, bad })).toBe(false);
      }),
    );
  });

  it.each([
    [0.000001, 3],
    [0.005, 1.2],
    [0.05, 10],
    [0.4, 3],
    [0.9, 3],
  ])("are finite and in order for a limit of %f and %f times that", (limit, detect) => {
    const { none, half, atLimit } = new EnoughCalls({ limit, detect }).callsNeeded(0.9);

    expect([none, half, atLimit]).toEqual([none, half, atLimit].sort((one, other) => one - other));
    expect(atLimit).toBeLessThan(Infinity);
  });

  it("are one good call if nothing below all calls is intolerable", () => {
    const enough = new EnoughCalls({ limit: 0.5, detect: 3 });

    expect(enough.intolerable).toBe(1);
    expect(enough.areEnough({ calls: 1, bad: 1 })).toBe(false);
    expect(enough.areEnough({ calls: 2, bad: 1 })).toBe(true);
  });
});

describe("options for which no number of calls is enough", () => {
  it.each([0, 1, -1, NaN])("are refused: a limit of %f", (limit) => {
    expect(() => new EnoughCalls({ limit, detect: 3 })).toThrow(`'limit' (${limit})`);
  });

  it.each([1, 1.1, 0, -3, NaN])("are refused: %f times the limit", (detect) => {
    expect(() => new EnoughCalls({ limit: 0.005, detect })).toThrow(`'detect' (${detect}) must be at least 1.2`);
  });

  it.each([0, 1, NaN])("are refused: a power of %f", (power) => {
    expect(() => new EnoughCalls({ limit: 0.005, detect: 3 }).callsNeeded(power)).toThrow(`'power' (${power})`);
  });

  it("are refused: counts that cannot be", () => {
    expect(() => new EnoughCalls({ limit: 0.005, detect: 3 }).areEnough({ calls: 1, bad: 2 })).toThrow("'bad' (2)");
    expect(() => new EnoughCalls({ limit: 0.005, detect: 3 }).missing({ calls: -1, bad: 0 })).toThrow(RangeError);
  });
});
