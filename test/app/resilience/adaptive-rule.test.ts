import { describe, expect, it } from "@jest/globals";
import { AdaptiveRule } from "../../../app/src/resilience/adaptive-rule.ts";
import { Breaker } from "../../../app/src/resilience/breaker.ts";
import { fakeTime } from "./fake-clock.ts";

function clocked() {
  const { clock, time } = fakeTime();
  const breaker = new Breaker({ name: "api", recoveryTimeout: 1000, time, rule: new AdaptiveRule() });
  /** Makes calls of so many milliseconds, of which every nth fails, one after the other. */
  const make = (calls: number, milliseconds: number, failsEvery = Infinity) => {
    for (let call = 1; call <= calls; call += 1) {
      const permit = breaker.tryAcquire();
      if (!permit.admitted) return call - 1;
      clock.advance(milliseconds);
      if (call % failsEvery === 0) permit.fail();
      else permit.succeed();
    }
    return calls;
  };
  return { breaker, clock, make };
}

describe("an adaptive breaker", () => {
  it("opens when calls take several times as long as they used to, though none fails", () => {
    const { breaker, make } = clocked();
    make(1000, 20);
    expect(breaker.state).toBe("closed");
    make(1000, 100);

    expect(breaker.state).toBe("open");
    expect(breaker.stats).toMatchObject({ failures: 0 });
  });

  it("thinks nothing of calls that become slower by and by", () => {
    const { breaker, make } = clocked();
    for (let milliseconds = 20; milliseconds <= 200; milliseconds += 2) make(200, milliseconds);

    expect(breaker.state).toBe("closed");
  });

  it("opens when a dependency that hardly ever failed fails every third time", () => {
    const { breaker, make } = clocked();
    make(2000, 20, 200);
    make(500, 20, 3);

    expect(breaker.state).toBe("open");
  });

  it("gets used to a dependency that fails every fifth time, and still notices that it fails every second", () => {
    const { breaker, make } = clocked();
    for (let failsEvery = 50; failsEvery >= 5; failsEvery -= 1) make(1000, 20, failsEvery);
    expect(breaker.state).toBe("closed");
    make(2000, 20, 2);

    expect(breaker.state).toBe("open");
  });

  it("asks for clearer signs of few calls than of many, down to its least share", () => {
    const rule = new AdaptiveRule();
    const thresholds = () => [20, 100, 1000].map((calls) => rule.threshold(calls).toFixed(2));
    expect(thresholds()).toEqual(["0.20", "0.20", "0.20"]);
    // Every tenth call fails, at fifty calls a second.
    for (let call = 1; call <= 20_000; call += 1) rule.record(call % 10 === 0, 20, call * 20);

    expect(thresholds()).toEqual(["0.37", "0.22", "0.20"]);
  });

  it("never opens on fewer calls than its minimum, however bad they are", () => {
    const { breaker, make } = clocked();

    expect(make(100, 20, 1)).toBe(20);
    expect(breaker.state).toBe("open");
  });

  it("still knows what is usual after it was open", () => {
    const { breaker, clock, make } = clocked();
    make(1000, 20);
    make(1000, 100);
    clock.advance(1000);
    make(1, 20);
    expect(breaker.state).toBe("closed");
    make(1000, 100);

    expect(breaker.state).toBe("open");
  });
});
