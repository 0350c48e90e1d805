import { describe, expect, it } from "@jest/globals";
import { Breaker } from "../../../app/src/resilience/breaker.ts";
import { Bulkhead } from "../../../app/src/resilience/bulkhead.ts";
import { CallerCall, type Policy } from "../../../app/src/resilience/call.ts";
import { compose } from "../../../app/src/resilience/compose.ts";
import { Deadline } from "../../../app/src/resilience/deadline.ts";
import { RetryBudget } from "../../../app/src/resilience/retry-budget.ts";
import { Retry } from "../../../app/src/resilience/retry.ts";
import type { Time } from "../../../app/src/resilience/time.ts";
import { fakeTime, settled, type FakeClock } from "./fake-clock.ts";

const REPEATABLE = new CallerCall({ repeatable: true });

/** The budget of a client that has none: as many repetitions as its attempts allow. */
const unlimited = () => new RetryBudget({ ratio: 2, max: 1_000_000 });

describe("a retry storm", () => {
  /** A thousand calls, ten at a time, to a dependency that fails them all; how many attempts reach it per call. */
  async function amplification(budget: RetryBudget): Promise<number> {
    const { clock, time } = fakeTime();
    const retry = new Retry({ name: "api", time, budget });
    let attempts = 0;
    const calls: Promise<unknown>[] = [];
    for (let burst = 0; burst < 100; burst += 1) {
      for (let call = 0; call < 10; call += 1) {
        const work = () => {
          attempts += 1;
          return Promise.reject(new Error("down"));
        };
        calls.push(retry.execute(work, REPEATABLE).catch(() => undefined));
      }
      await clock.pass(50);
    }
    await clock.pass(60_000);
    await Promise.all(calls);
    return attempts / calls.length;
  }

  it("adds at most a tenth to the load of a dependency that fails, where it would triple it", async () => {
    expect(await amplification(unlimited())).toBe(3);

    const held = await amplification(new RetryBudget());
    expect(held).toBeGreaterThan(1.05);
    expect(held).toBeLessThanOrEqual(1.1);
  });
});

describe("a metastable failure", () => {
  const RECOVERY = 2000;
  const PODS = 10;

  /** Carries a hundred calls a second. More make it fail them all, until a second in which it is asked for half of that. */
  class Fragile {
    isDown = false;
    /** Calls in each second so far. */
    readonly seconds: number[] = [];
    readonly #time: Time;
    readonly #start: number;

    constructor(time: Time) {
      this.#time = time;
      this.#start = time.now();
    }

    readonly call = (): Promise<string> => {
      const second = Math.floor((this.#time.now() - this.#start) / 1000);
      while (this.seconds.length <= second) {
        const last = this.seconds.at(-1);
        if (last !== undefined && last <= 50) this.isDown = false;
        this.seconds.push(0);
      }
      const asked = (this.seconds[second] ?? 0) + 1;
      this.seconds[second] = asked;
      if (asked > 100) this.isDown = true;
      return this.isDown ? Promise.reject(new Error("overrun")) : Promise.resolve("answer");
    };
  }

  /** Ten pods with 8 calls a second each, for so many seconds; calls `each` after every second. */
  async function traffic(
    { clock, seconds, pods, fragile }: { clock: FakeClock; seconds: number; pods: readonly Policy[]; fragile: Fragile },
    each: (good: number, second: number) => boolean = () => false,
  ): Promise<void> {
    for (let second = 0; second < seconds; second += 1) {
      let good = 0;
      const count = () => (good += 1);
      for (let turn = 0; turn < 8; turn += 1) {
        for (const pod of pods) pod.execute(fragile.call, REPEATABLE).then(count, () => undefined);
        await clock.pass(125);
      }
      if (each(good, second)) return;
    }
  }

  async function overrun(pod: (time: Time, index: number) => Policy) {
    const { clock, time } = fakeTime();
    const fragile = new Fragile(time);
    const pods = Array.from({ length: PODS }, (_, index) => pod(time, index));
    await traffic({ clock, seconds: 5, pods, fragile });
    const before = fragile.isDown;
    // What triggers it is over in an instant: forty calls too many.
    for (let call = 0; call < 40; call += 1) void fragile.call().catch(() => undefined);
    const from = fragile.seconds.length;
    let secondsUntilWell = Infinity;
    await traffic({ clock, seconds: 30, pods, fragile }, (good, second) => {
      if (good === 8 * PODS) secondsUntilWell = second;
      return good === 8 * PODS;
    });
    await traffic({ clock, seconds: 10, pods, fragile });
    return { before, fragile, secondsUntilWell, after: fragile.seconds.slice(from) };
  }

  it("goes on by itself where clients retry as they like, long after what caused it", async () => {
    const { before, fragile, secondsUntilWell } = await overrun(
      (time) => new Retry({ name: "api", time, budget: unlimited() }),
    );

    expect(before).toBe(false);
    expect(secondsUntilWell).toBe(Infinity);
    expect(fragile.isDown).toBe(true);
  });

  it("ends within two recovery timeouts under breakers and budgets, and no herd comes with the recovery", async () => {
    const { before, fragile, secondsUntilWell, after } = await overrun((time) =>
      compose({
        retry: new Retry({ name: "api", time }),
        breaker: new Breaker({ name: "api", failureThreshold: 5, recoveryTimeout: RECOVERY, time }),
      }),
    );

    expect(before).toBe(false);
    // The seconds in which it is well again, counted from the instant it was overrun.
    expect(secondsUntilWell).toBeGreaterThan(0);
    expect(secondsUntilWell * 1000).toBeLessThanOrEqual(2 * RECOVERY);
    expect(fragile.isDown).toBe(false);
    expect(Math.max(...after.slice(1))).toBeLessThanOrEqual(100);
  });

  it("finds a dependency that comes back at any time within two recovery timeouts, a probe at a time per pod", async () => {
    for (let outage = 500; outage <= 20_000; outage += 1500) {
      const { clock, time } = fakeTime();
      let isDown = true;
      let asked = 0;
      const work = () => {
        asked += 1;
        return isDown ? Promise.reject(new Error("down")) : Promise.resolve("answer");
      };
      const pods = Array.from(
        { length: PODS },
        () => new Breaker({ name: "api", failureThreshold: 5, recoveryTimeout: RECOVERY, time }),
      );
      const burst = async () => {
        const before = asked;
        for (const pod of pods) for (let call = 0; call < 5; call += 1) void pod.execute(work).catch(() => undefined);
        const now = asked - before;
        await settled();
        return now;
      };
      await burst();
      for (let passed = 0; passed < outage; passed += 100) {
        await clock.pass(100);
        expect(await burst()).toBeLessThanOrEqual(PODS);
      }
      isDown = false;
      await clock.pass(2 * RECOVERY);
      expect(await burst()).toBeLessThanOrEqual(PODS);

      expect(pods.map(({ state }) => state)).toEqual(pods.map(() => "closed"));
    }
  }, 30_000);
});

describe("a slow dependency", () => {
  /** The p99 of calls to a quick dependency, from the same fifty workers that serve calls to one that may hang. */
  async function p99(guard: (time: Time) => Policy, slowTakes: number): Promise<number> {
    const { clock, time } = fakeTime();
    const workers = new Bulkhead({ name: "workers", maxConcurrent: 50, maxQueue: 10_000, queueTimeout: 60_000, time });
    const slow = guard(time);
    const takes = (milliseconds: number) => () =>
      new Promise<void>((resolve) => {
        clock.wake(resolve, milliseconds);
      });
    // What is never answered took forever.
    const latencies = new Array<number>(1200).fill(Infinity);
    for (let turn = 0; turn < 400; turn += 1) {
      workers.execute((call) => slow.execute(takes(slowTakes), call)).catch(() => undefined);
      for (let call = 0; call < 3; call += 1) {
        const startedAt = time.now();
        // 20 to 40 ms, as quick calls are.
        void workers.execute(takes(20 + ((turn * 7 + call * 5) % 21))).then(() => {
          latencies[3 * turn + call] = time.now() - startedAt;
        });
      }
      await clock.pass(25);
    }
    await clock.pass(30_000);
    return latencies.toSorted((one, other) => one - other)[Math.ceil(0.99 * 1200) - 1] ?? NaN;
  }

  it("moves the p99 of calls that do not use it by at most a tenth, where it would stop them", async () => {
    const bare = () => compose({});
    const guarded = (time: Time) =>
      compose({
        limit: new Bulkhead({ name: "slow", maxConcurrent: 20, time }),
        timeout: new Deadline({ timeout: 2000, time }),
      });
    const usual = await p99(guarded, 30);

    expect(usual).toBeLessThanOrEqual(45);
    expect(await p99(bare, 10_000)).toBeGreaterThan(10 * usual);
    expect(await p99(guarded, 10_000)).toBeLessThanOrEqual(1.1 * usual);
  }, 30_000);
});
