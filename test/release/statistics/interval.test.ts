import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { interval } from "../../../release/statistics/interval.ts";
import { evidenceAbove, evidenceBelow } from "../../../release/statistics/mixture.ts";
import { probabilityOfStop } from "./binomial.ts";

const counts = fc
  .tuple(fc.oneof(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 1_000_000_000 })), fc.nat(1_000_000))
  .map(([calls, part]) => ({ calls, bad: Math.floor((calls * part) / 1_000_000) }));

const share = fc.double({ min: 0.0001, max: 0.9999, noNaN: true });

describe("the anytime-valid interval of a share", () => {
  it("is everything without calls", () => {
    expect(interval({ calls: 0, bad: 0 }, 0.004)).toEqual({ lower: 0, upper: 1 });
  });

  it("contains the share of the counts", () => {
    fc.assert(
      fc.property(counts, ({ calls, bad }) => {
        const { lower, upper } = interval({ calls, bad }, 0.004);

        expect(lower).toBeGreaterThanOrEqual(0);
        expect(lower).toBeLessThanOrEqual(bad / calls);
        expect(upper).toBeGreaterThanOrEqual(bad / calls);
        expect(upper).toBeLessThanOrEqual(1);
      }),
    );
  });

  it("excludes exactly the shares that the tests exclude", () => {
    fc.assert(
      fc.property(counts, share, (counts, limit) => {
        const { lower, upper } = interval(counts, 0.004);
        fc.pre(Math.abs(limit / lower - 1) > 1e-6 && Math.abs(limit / upper - 1) > 1e-6);

        const threshold = Math.log(250);
        expect(lower > limit).toBe(evidenceAbove(limit)(counts) >= threshold);
        expect(upper < limit).toBe(evidenceBelow(limit)(counts) >= threshold);
      }),
    );
  });

  it("misses the true share at any of 500 calls with a probability of 2 α at most", () => {
    const alpha = 0.05;
    const excludes = (calls: number, bad: number) => {
      const threshold = -Math.log(alpha);
      return above({ calls, bad }) >= threshold || below({ calls, bad }) >= threshold;
    };
    const above = evidenceAbove(0.1);
    const below = evidenceBelow(0.1);

    expect(probabilityOfStop(500, 0.1, excludes)).toBeLessThanOrEqual(2 * alpha);
  });

  it("gets narrower with calls of the same share, to about a tenth of the share on each side", () => {
    const widths = [100, 1000, 10_000, 1e6, 1e9].map((calls) => {
      const { lower, upper } = interval({ calls, bad: 0.01 * calls }, 0.004);
      return upper - lower;
    });

    expect(widths).toEqual([...widths].sort((one, other) => other - one));
    expect(widths.at(-1)).toBeLessThan(0.002);
  });

  it("begins at 0 without bad calls and ends at 1 without good ones", () => {
    expect(interval({ calls: 360, bad: 0 }, 0.01)).toEqual({ lower: 0, upper: expect.closeTo(0.015, 3) });
    expect(interval({ calls: 10, bad: 10 }, 0.01)).toMatchObject({ upper: 1 });
  });

  it.each([0, 1, -0.1, NaN])("refuses an α of %f", (alpha) => {
    expect(() => interval({ calls: 10, bad: 1 }, alpha)).toThrow(`'alpha' (${alpha})`);
  });
});
