import { describe, expect, it } from "@jest/globals";
import { Control } from "../../../release/statistics/control.ts";
import type { Counts } from "../../../release/statistics/counts.ts";
import type { Increment } from "../../../release/statistics/increment.ts";
import { binomial } from "./binomial.ts";

/** A color's calls: two a second. Each digit is the number of bad ones in its second. */
function twoPerSecond(bad: string): Increment[] {
  return Array.from(bad, (count, second) => ofASecond(second, { calls: 2, bad: Number(count) }));
}

const ofASecond = (second: number, counts: Counts): Increment => ({
  ...counts,
  since: 1000 * second,
  until: 1000 * (second + 1),
});

const alarmIn = (second: number) => ({ since: 1000 * second, until: 1000 * (second + 1) });

describe("the control of an alarm at a limit of 0.5 %", () => {
  const control = new Control({ limit: 0.005 });

  it("finds a shared outage where all of the old color's calls fail since the alarm", () => {
    expect(control.judge(twoPerSecond("00000002222"), alarmIn(7))).toEqual({
      outcome: "shared",
      counts: { calls: 18, bad: 8 },
      from: 2000,
      to: 11_000,
    });
  });

  it("finds one where two of them fail", () => {
    expect(control.judge(twoPerSecond("00000001010"), alarmIn(7))).toMatchObject({ outcome: "shared" });
  });

  it("finds none where one fails, which happens to a good version now and then", () => {
    expect(control.judge(twoPerSecond("00000000010"), alarmIn(7))).toMatchObject({
      outcome: "alone",
      counts: { calls: 18, bad: 1 },
    });
  });

  it("counts no calls from before or after the alarm's time", () => {
    expect(control.judge(twoPerSecond("22000000000222"), alarmIn(7))).toMatchObject({
      outcome: "alone",
      counts: { calls: 18, bad: 0 },
    });
  });

  it("cannot say without calls to the old color", () => {
    expect(control.judge([], alarmIn(7))).toMatchObject({ outcome: "unknown", counts: { calls: 0, bad: 0 } });
    expect(control.judge(twoPerSecond("222"), alarmIn(60))).toMatchObject({ outcome: "unknown" });
  });

  it("sets aside an outage from its begin, which was before the time that is judged", () => {
    const old = twoPerSecond(`${"0".repeat(20)}${"2".repeat(20)}000`);

    expect(control.judge(old, alarmIn(39))).toMatchObject({ outcome: "shared", from: 20_000, to: 43_000 });
  });

  it("sets aside nothing of an earlier outage, after 5 s without bad calls", () => {
    const old = twoPerSecond(`0022200000000002222000`);

    expect(control.judge(old, alarmIn(18))).toMatchObject({ outcome: "shared", from: 13_000, to: 22_000 });
  });

  it("mistakes a bad version for a shared outage with a probability of 5 % at most, if the old one is at the limit", () => {
    for (const limit of [0.001, 0.005, 0.05, 0.2]) {
      const control = new Control({ limit });
      for (const calls of [1, 2, 8, 16, 40]) {
        const isShared = (bad: number) =>
          control.judge([ofASecond(7, { calls, bad })], alarmIn(7)).outcome === "shared";
        const mistaken = binomial(calls, limit).reduce((sum, p, bad) => (isShared(bad) ? sum + p : sum), 0);

        expect(mistaken).toBeLessThanOrEqual(0.05);
      }
    }
  });

  it("needs more bad calls for a smaller α", () => {
    const strict = new Control({ limit: 0.005, alpha: 0.004 });

    expect(strict.judge(twoPerSecond("00000001010"), alarmIn(7))).toMatchObject({ outcome: "alone" });
    expect(strict.judge(twoPerSecond("00000001110"), alarmIn(7))).toMatchObject({ outcome: "shared" });
  });
});

describe("an outage that raises no alarm", () => {
  const control = new Control({ limit: 0.005 });

  it("is found while the calls of both colors exceed the limit, and set aside from its begin", () => {
    const both = twoPerSecond("00000000001111");

    expect(control.quietOutage(both, both, 14_000)).toEqual({ from: 6000, to: 14_000 });
  });

  it("is none if only the old version is bad, so that a good new one gets its calls", () => {
    expect(control.quietOutage(twoPerSecond("2222222222"), twoPerSecond("0000000000"), 10_000)).toBeUndefined();
  });

  it("is none if only the new version is bad", () => {
    expect(control.quietOutage(twoPerSecond("0000000000"), twoPerSecond("0000002222"), 10_000)).toBeUndefined();
  });

  it("is none without calls to the old color, and when it is over for 8 s", () => {
    const over = twoPerSecond("002222200000000");

    expect(control.quietOutage([], over, 8000)).toBeUndefined();
    expect(control.quietOutage(over, over, 15_000)).toBeUndefined();
  });
});

describe("what a control cannot judge", () => {
  it.each([-0.1, 2, NaN])("is refused: a limit of %f", (limit) => {
    expect(() => new Control({ limit })).toThrow(`'${limit}' is not a share`);
  });

  it.each([0, 1, NaN])("is refused: an α of %f", (alpha) => {
    expect(() => new Control({ limit: 0.005, alpha })).toThrow(`'alpha' (${alpha})`);
  });

  it("is refused: more bad calls than calls", () => {
    const control = new Control({ limit: 0.005 });
    expect(() => control.judge([ofASecond(7, { calls: 1, bad: 2 })], alarmIn(7))).toThrow("'bad' (2)");
  });
});
