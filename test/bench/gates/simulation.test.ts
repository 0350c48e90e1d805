import { describe, expect, it } from "@jest/globals";
import { bake } from "../../../bench/gates/bakes.ts";
import { FixedWindow } from "../../../bench/gates/fixed-window.ts";
import { bakeWithOutages, fixedWindowWithOutages } from "../../../bench/gates/outages.ts";
import { binomial, uniform } from "../../../bench/gates/random.ts";
import { binomial as exact } from "../../release/statistics/binomial.ts";

describe("the numbers of a simulation", () => {
  it("are the same for the same seed, and others for another one", () => {
    const numbers = (seed: number) => Array.from({ length: 5 }, uniform(seed));

    expect(numbers(1)).toEqual(numbers(1));
    expect(numbers(1)).not.toEqual(numbers(2));
  });

  it.each([
    [20, 0.005],
    [20, 0.5],
    [3, 0.9],
  ])("are bad calls with the probabilities of a binomial distribution: of %i, each with %f", (calls, share) => {
    const draw = binomial(calls, share, uniform(3));
    const drawn = new Array<number>(calls + 1).fill(0);
    for (let time = 0; time < 100_000; time++) {
      const bad = draw(calls);
      drawn[bad] = (drawn[bad] ?? 0) + 1;
    }

    for (const [bad, probability] of exact(calls, share).entries()) {
      // Four standard errors.
      const tolerance = 4 * Math.sqrt(probability / 100_000) + 1e-4;
      expect(Math.abs((drawn[bad] ?? 0) / 100_000 - probability)).toBeLessThan(tolerance);
    }
  });

  it("are none or all of the calls at a share of 0 or 1", () => {
    expect(binomial(20, 0, uniform(1))(20)).toBe(0);
    expect(binomial(20, 1, uniform(1))(7)).toBe(7);
  });
});

describe("the fixed window", () => {
  it("fails on one interval more than `failureLimit` above the limit", () => {
    const rule = new FixedWindow(0.1, 20, 1);
    for (const bad of [3, 0, 2, 3]) rule.add({ calls: 10, bad });
    // The first interval has 3 of 20 bad calls, the second one 5.
    expect(rule.exceeded).toBe(true);
  });

  it("accepts intervals at the limit", () => {
    const rule = new FixedWindow(0.1, 10, 0);
    for (let interval = 0; interval < 10; interval++) rule.add({ calls: 10, bad: 1 });

    expect(rule.exceeded).toBe(false);
  });
});

describe("a simulated bake", () => {
  it("goes on to its end with a version without bad calls", () => {
    expect(bake([{ calls: 2000, failed: 0, slow: 0 }], 20, uniform(1))).toEqual({});
  });

  it("is rolled back by both rules if half of the calls fail: after the first check, and after four minutes", () => {
    const { sequential, fixedWindow } = bake([{ calls: 20_000, failed: 100, slow: 0 }], 20, uniform(1));

    expect(sequential).toBe(20);
    expect(fixedWindow).toBe(4 * 60 * 14);
  });

  it("survives shared outages with a control, and without one or under the fixed window it does not", () => {
    const outages = { inOutage: 1, control: 2 };

    expect(bakeWithOutages(outages, uniform(1))).toBeUndefined();
    expect(bakeWithOutages({ ...outages, control: 0 }, uniform(1))).toBeLessThan(180);
    expect(fixedWindowWithOutages(outages, uniform(1))).toBeLessThan(900);
  });

  it("is rolled back within 6 s by its control if half of the new color's calls fail alone", () => {
    expect(bakeWithOutages({ inOutage: 0, alone: 0.5, control: 2 }, uniform(1))).toBeLessThanOrEqual(6);
  });
});
