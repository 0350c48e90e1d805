import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { binomial, uniform } from "../../../bench/gates/random.ts";
import type { Counts } from "../../../release/statistics/counts.ts";
import { ExcessTest, type ExcessOptions } from "../../../release/statistics/excess-test.ts";
import type { Increment } from "../../../release/statistics/increment.ts";
import { interval } from "../../../release/statistics/interval.ts";

/** A test that gets one increment a second. */
class EverySecond {
  readonly test: ExcessTest;
  #second = 0;

  constructor(options: Partial<ExcessOptions> = {}) {
    this.test = new ExcessTest({ limit: 0.005, ...options });
  }

  add(calls: number, bad: number, times = 1): this {
    for (let time = 0; time < times; time++) {
      this.test.add({ calls, bad, since: 1000 * this.#second, until: 1000 * (this.#second + 1) });
      this.#second += 1;
    }
    return this;
  }
}

const ofASecond = (second: number, counts: Counts): Increment => ({
  ...counts,
  since: 1000 * second,
  until: 1000 * (second + 1),
});

const increments = fc.array(
  fc
    .integer({ min: 0, max: 300 })
    .chain((calls) =>
      fc.record({ calls: fc.constant(calls), bad: fc.integer({ min: 0, max: Math.ceil(calls / 20) }) }),
    ),
  { minLength: 1, maxLength: 40 },
);

describe("the test of a version with a limit of 0.5 %", () => {
  it("raises no alarm without calls, or with calls at the limit", () => {
    const { test } = new EverySecond().add(0, 0).add(1000, 5, 20);

    expect(test.exceeded).toBeUndefined();
    expect(test.counts).toEqual({ calls: 20_000, bad: 100 });
  });

  it("raises the alarm on the first two calls of a total outage, and says which calls raised it", () => {
    const { test } = new EverySecond().add(1, 1).add(1, 1).add(1, 1);

    expect(test.exceeded).toEqual({
      test: "whole bake",
      counts: { calls: 2, bad: 2 },
      since: 1000,
      until: 2000,
    });
  });

  it("keeps the alarm however many good calls follow", () => {
    const { test } = new EverySecond().add(20, 10).add(10_000, 0);

    expect(test.exceeded).toMatchObject({ counts: { calls: 20, bad: 10 } });
  });

  it("finds a version that turns bad late by its recent calls, which the whole bake still hides", () => {
    const late = new EverySecond().add(20, 0, 500);
    let calls = 0;
    for (; late.test.exceeded === undefined && calls < 5000; calls += 20) late.add(20, calls % 60 === 0 ? 1 : 0);

    expect(late.test.exceeded).toMatchObject({ test: "recent calls" });
    expect(calls).toBeLessThan(1500);
  });

  it("splits no increment: a window ends with the one that brings it to 2,000 calls", () => {
    // The first window has 3,499 calls, and the second one begins after them.
    const { test } = new EverySecond().add(1999, 0).add(1500, 0).add(1, 0).add(500, 10).add(500, 10);

    expect(test.exceeded).toMatchObject({ test: "recent calls", counts: { calls: 1001, bad: 20 } });
  });

  it("spends less on each later window", () => {
    // The same bad calls in a window of its own, once as the second and once as the tenth window.
    const badInWindow = (windows: number) => {
      const bake = new EverySecond().add(2000, 0, windows - 1);
      let bad = 0;
      for (; bake.test.exceeded === undefined; bad++) bake.add(1, 1);
      return bad;
    };

    expect(badInWindow(2)).toBeLessThan(badInWindow(1000));
  });

  it("has the same counts and the same interval whatever the order of the increments", () => {
    fc.assert(
      fc.property(
        increments.chain((list) => fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length }))),
        ([one, other]) => {
          const [a, b] = [one, other].map((list) => {
            const bake = new EverySecond();
            for (const { calls, bad } of list) bake.add(calls, bad);
            return bake.test.estimate;
          });
          expect(a).toEqual(b);
        },
      ),
      { numRuns: 30 },
    );
  });

  it("raises no alarm with fewer bad calls that it does not raise with more", () => {
    fc.assert(
      fc.property(increments, fc.nat(), (list, which) => {
        const more = new EverySecond();
        const fewer = new EverySecond();
        for (const [index, { calls, bad }] of list.entries()) {
          more.add(calls, bad);
          fewer.add(calls, index === which % list.length ? Math.max(0, bad - 1) : bad);
        }
        if (fewer.test.exceeded !== undefined) expect(more.test.exceeded).toBeDefined();
      }),
    );
  });

  it("rolls back at most 0.5 % of versions at the limit, checked every 20 of 6,000 calls", () => {
    const draw = binomial(20, 0.005, uniform(7));
    let alarms = 0;
    const bakes = 2000;
    for (let bake = 0; bake < bakes; bake++) {
      const { test } = new EverySecond();
      for (let second = 0; second < 300 && test.exceeded === undefined; second++) {
        test.add(ofASecond(second, { calls: 20, bad: draw(20) }));
      }
      if (test.exceeded !== undefined) alarms += 1;
    }
    expect(alarms / bakes).toBeLessThanOrEqual(0.005);
  });
});

describe("the estimate", () => {
  it("has the interval of the test over the whole bake, so that its lower end is above the limit at the alarm", () => {
    const { estimate, exceeded } = new EverySecond().add(20, 2).add(20, 2).test;

    expect(exceeded).toMatchObject({ test: "whole bake" });
    expect(estimate).toEqual({
      counts: { calls: 40, bad: 4 },
      share: 0.1,
      limit: 0.005,
      ...interval({ calls: 40, bad: 4 }, 0.004),
    });
    expect(estimate.lower).toBeGreaterThan(estimate.limit);
  });

  it("has no share without calls", () => {
    expect(new EverySecond().test.estimate).toMatchObject({ share: undefined, lower: 0, upper: 1 });
  });
});

describe("a span that is set aside", () => {
  /** Five seconds in which all of 50 calls fail, from second 100 on. */
  const afterOutage = () => new EverySecond().add(14, 0, 100).add(50, 50, 5);

  it("takes its calls out, and the alarm with them", () => {
    const { test } = afterOutage();
    expect(test.exceeded).toMatchObject({ since: 100_000, until: 101_000 });

    expect(test.setAside(100_000, 105_000)).toEqual({ calls: 250, bad: 250 });
    expect(test.counts).toEqual({ calls: 1400, bad: 0 });
    expect(test.exceeded).toBeUndefined();
  });

  it("takes out whole increments that overlap it, and leaves those that only touch it", () => {
    const { test } = afterOutage();

    expect(test.setAside(100_500, 104_000)).toEqual({ calls: 200, bad: 200 });
    expect(test.exceeded).toMatchObject({ since: 104_000 });
  });

  it("takes out calls that are added later, as those of one outage may be", () => {
    const outage = afterOutage();
    outage.test.setAside(95_000, 106_000);
    outage.add(50, 50).add(14, 0);

    expect(outage.test.counts).toEqual({ calls: 96 * 14, bad: 0 });
    expect(outage.test.exceeded).toBeUndefined();
  });

  it("leaves the alarm of other calls", () => {
    const { test } = new EverySecond().add(14, 7).add(14, 0, 100).add(14, 14, 5);
    test.setAside(100_000, 110_000);

    expect(test.exceeded).toMatchObject({ counts: { calls: 14, bad: 7 }, since: 0 });
  });

  it("takes out an alarm that ended a window, and leaves later calls in the windows after it", () => {
    const { test } = new EverySecond().add(1990, 0).add(50, 50).add(1000, 0);
    test.setAside(1000, 2000);
    expect(test.exceeded).toBeUndefined();

    // The third increment is in the second window, with these.
    test.add(ofASecond(3, { calls: 500, bad: 25 }));
    expect(test.exceeded).toMatchObject({ test: "recent calls", counts: { calls: 1500, bad: 25 } });
  });

  it("changes nothing but its own calls: any others are judged as if there had been no others", () => {
    fc.assert(
      fc.property(increments, fc.nat(40), fc.nat(10), (list, begin, length) => {
        const [from, to] = [1000 * begin, 1000 * (begin + length)];
        const setAside = new EverySecond();
        const never = new EverySecond();
        never.test.setAside(from, to);
        for (const { calls, bad } of list) {
          setAside.add(calls, bad);
          never.add(calls, bad);
        }
        setAside.test.setAside(from, to);

        expect(setAside.test.counts).toEqual(never.test.counts);
        expect(setAside.test.estimate).toEqual(never.test.estimate);
      }),
      { numRuns: 50 },
    );
  });
});

describe("what no test can judge", () => {
  it.each([-0.1, 1.1, NaN])("is refused: a limit of %f", (limit) => {
    expect(() => new ExcessTest({ limit })).toThrow(`'${limit}' is not a share`);
  });

  it.each([0, 1, NaN])("is refused: an α of %f", (alpha) => {
    expect(() => new ExcessTest({ limit: 0.005, alpha })).toThrow(`'alpha' (${alpha})`);
  });

  it("is refused: more bad calls than calls, and a span that ends before it begins", () => {
    const test = new ExcessTest({ limit: 0.005 });

    expect(() => test.add({ calls: 1, bad: 2, since: 0, until: 1 })).toThrow("'bad' (2)");
    expect(() => test.add({ calls: 1, bad: 0, since: 2, until: 1 })).toThrow("'since' (2)");
    expect(() => test.setAside(2, 1)).toThrow("'from' (2)");
    expect(test.counts).toEqual({ calls: 0, bad: 0 });
  });

  it("does not include a limit of 0, which the first bad call exceeds", () => {
    const { test } = new EverySecond({ limit: 0 }).add(10_000, 0);
    expect(test.exceeded).toBeUndefined();
    expect(test.add(ofASecond(9, { calls: 1, bad: 1 }))).toMatchObject({ counts: { calls: 10_001, bad: 1 } });
  });

  it("does not include a limit of 1, which nothing exceeds", () => {
    expect(new EverySecond({ limit: 1 }).add(1000, 1000).test.exceeded).toBeUndefined();
  });
});
