import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { evidenceAbove, evidenceBelow } from "../../../release/statistics/mixture.ts";
import { binomial, probabilityOfStop } from "./binomial.ts";

/** The formula as it is written, which loses its digits with many calls. */
function ratio(calls: number, bad: number, boundary: number, nearest: number, farthest: number): number {
  let sum = 0;
  for (let i = 0; i < 40; i++) {
    const share = nearest * (farthest / nearest) ** (i / 39);
    sum += (share / boundary) ** bad * ((1 - share) / (1 - boundary)) ** (calls - bad);
  }
  return sum / 40;
}

const share = fc.double({ min: 0, max: 1, noNaN: true });

const counts = fc
  .tuple(fc.oneof(fc.nat(50), fc.nat(1_000_000_000)), share)
  .map(([calls, part]) => ({ calls, bad: Math.floor(calls * part) }));

describe("evidence that a share exceeds a limit", () => {
  it.each([
    [1, 0],
    [1, 1],
    [20, 3],
    [300, 2],
    [1000, 15],
  ])("is the mixture of likelihood ratios: %i calls, %i bad", (calls, bad) => {
    expect(Math.exp(evidenceAbove(0.005)({ calls, bad }))).toBeCloseTo(ratio(calls, bad, 0.005, 0.006, 0.9), 8);
  });

  it("has a mean of 1 at the limit and less below it, so that it is a supermartingale", () => {
    const evidence = evidenceAbove(0.1);
    const mean = (share: number, calls: number) =>
      binomial(calls, share).reduce((sum, p, bad) => sum + p * Math.exp(evidence({ calls, bad })), 0);

    for (const calls of [1, 2, 10, 40]) expect(mean(0.1, calls)).toBeCloseTo(1, 9);
    expect(mean(0.05, 10)).toBeLessThan(1);
    expect(mean(0.05, 40)).toBeLessThan(mean(0.05, 10));
  });

  it("reaches 1/α at the limit with a probability of α at most, checked after each of 1,000 calls", () => {
    const evidence = evidenceAbove(0.05);
    const falseAlarm = probabilityOfStop(1000, 0.05, (calls, bad) => evidence({ calls, bad }) >= Math.log(20));

    expect(falseAlarm).toBeLessThanOrEqual(0.05);
    // It is not needlessly careful either.
    expect(falseAlarm).toBeGreaterThan(0.01);
  });

  it("needs two calls of a total outage at a limit of 0.5 % and an α of 0.4 %", () => {
    const outage = (calls: number) => evidenceAbove(0.005)({ calls, bad: calls });

    expect(outage(1)).toBeLessThan(Math.log(250));
    expect(outage(2)).toBeGreaterThan(Math.log(250));
  });

  it("is a number for any counts and any limit", () => {
    fc.assert(
      fc.property(counts, share, (counts, limit) => {
        expect(evidenceAbove(limit)(counts)).not.toBeNaN();
        expect(evidenceBelow(limit)(counts)).not.toBeNaN();
      }),
    );
  });

  it("grows with each bad call in place of a good one, and with each good call less", () => {
    fc.assert(
      fc.property(counts, fc.double({ min: 0.001, max: 0.99, noNaN: true }), ({ calls, bad }, limit) => {
        const evidence = evidenceAbove(limit);
        const now = evidence({ calls, bad });
        const rounding = 1e-9 * (1 + Math.abs(now));

        expect(evidence({ calls: calls + 1, bad: bad + 1 })).toBeGreaterThanOrEqual(now - rounding);
        expect(evidence({ calls: calls + 1, bad })).toBeLessThanOrEqual(now + rounding);
      }),
    );
  });

  it("is never there while no more calls are bad than the limit allows", () => {
    fc.assert(
      fc.property(counts, share, (counts, limit) => {
        fc.pre(counts.bad <= limit * counts.calls);
        expect(evidenceAbove(limit)(counts)).toBeLessThanOrEqual(1e-6);
      }),
    );
  });

  it("stays exact with a billion calls", () => {
    const calls = 1e9;

    expect(evidenceAbove(0.005)({ calls, bad: 0.004 * calls })).toBeLessThan(-1e3);
    expect(evidenceAbove(0.005)({ calls, bad: 0.006 * calls })).toBeGreaterThan(1e3);
  });

  it("is infinite after one bad call at a limit of 0, and nothing before", () => {
    expect(evidenceAbove(0)({ calls: 1000, bad: 0 })).toBe(0);
    expect(evidenceAbove(0)({ calls: 1000, bad: 1 })).toBe(Infinity);
  });

  it("is nothing at a limit of 1, which no share exceeds", () => {
    expect(evidenceAbove(1)({ calls: 1000, bad: 1000 })).toBe(0);
  });

  it.each([0.7, 0.8, 0.9, 0.95, 0.99])("finds a share of 1 above a limit of %f", (limit) => {
    expect(evidenceAbove(limit)({ calls: 10_000, bad: 10_000 })).toBeGreaterThan(Math.log(100));
    expect(evidenceAbove(limit)({ calls: 10_000, bad: Math.floor(10_000 * limit) })).toBeLessThan(0);
  });
});

describe("evidence that a share is below a boundary", () => {
  it.each([
    [1, 0],
    [1, 1],
    [360, 0],
    [1000, 5],
  ])("is the mixture of likelihood ratios: %i calls, %i bad", (calls, bad) => {
    const expected = ratio(calls, bad, 0.015, 0.015 / 1.2, 0.015 / 40);
    expect(Math.exp(evidenceBelow(0.015)({ calls, bad })) / expected).toBeCloseTo(1, 8);
  });

  it("reaches 1/α at the boundary with a probability of α at most, checked after each of 1,000 calls", () => {
    const evidence = evidenceBelow(0.05);
    expect(probabilityOfStop(1000, 0.05, (calls, bad) => evidence({ calls, bad }) >= Math.log(20))).toBeLessThanOrEqual(
      0.05,
    );
  });

  it("is infinite after one good call at a boundary of 1, and nothing at a boundary of 0", () => {
    expect(evidenceBelow(1)({ calls: 2, bad: 1 })).toBe(Infinity);
    expect(evidenceBelow(1)({ calls: 2, bad: 2 })).toBe(0);
    expect(evidenceBelow(0)({ calls: 1000, bad: 0 })).toBe(0);
  });
});

describe("counts and limits that cannot be", () => {
  it.each([
    { calls: -1, bad: 0 },
    { calls: 1, bad: -1 },
    { calls: 1, bad: 2 },
    { calls: NaN, bad: 0 },
    { calls: 1, bad: NaN },
    { calls: Infinity, bad: 0 },
  ])("are refused with their values: %j", (counts) => {
    for (const limit of [0, 0.005, 1]) {
      expect(() => evidenceAbove(limit)(counts)).toThrow(RangeError);
      expect(() => evidenceBelow(limit)(counts)).toThrow(`'bad' (${counts.bad})`);
    }
  });

  it.each([-0.1, 1.1, NaN, Infinity])("are refused with their values: a limit of %f", (limit) => {
    expect(() => evidenceAbove(limit)).toThrow(`'${limit}' is not a share`);
    expect(() => evidenceBelow(limit)).toThrow(RangeError);
  });
});
