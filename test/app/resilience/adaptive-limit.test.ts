import { describe, expect, it } from "@jest/globals";
import { AdaptiveLimit } from "../../../app/src/resilience/adaptive-limit.ts";
import { Breaker } from "../../../app/src/resilience/breaker.ts";
import type { Call } from "../../../app/src/resilience/call.ts";
import { compose } from "../../../app/src/resilience/compose.ts";
import { Deadline } from "../../../app/src/resilience/deadline.ts";
import { fakeTime, type FakeClock } from "./fake-clock.ts";

/** A dependency that takes `base` ms for as many calls as it has workers, and proportionally longer for more. */
class Dependency {
  workers = 20;
  base = 20;
  isDown = false;
  #inside = 0;
  readonly #clock: FakeClock;

  constructor(clock: FakeClock) {
    this.#clock = clock;
  }

  readonly call = async (): Promise<void> => {
    this.#inside += 1;
    const takes = this.base * Math.max(1, this.#inside / this.workers);
    await new Promise<void>((resolve) => this.#clock.wake(resolve, takes));
    this.#inside -= 1;
    if (this.isDown) throw new Error("down");
  };
}

/** Work that takes so many milliseconds, or ends when its call is cancelled. */
const heedful = (clock: FakeClock, milliseconds: number) => (call: Call) =>
  new Promise<void>((resolve, reject) => {
    clock.wake(resolve, milliseconds);
    call.onCancel(() => {
      reject(new Error("cancelled"));
    });
  });

function stage(callers: number) {
  const { clock, time } = fakeTime();
  const dependency = new Dependency(clock);
  const limit = new AdaptiveLimit({ name: "api", time });
  const run = async (milliseconds: number) => {
    for (let passed = 0; passed < milliseconds; passed += 5) {
      while (limit.inFlight < callers) {
        const before = limit.inFlight;
        limit.execute(dependency.call).catch(() => undefined);
        if (limit.inFlight === before) break;
      }
      await clock.pass(5);
    }
  };
  return { dependency, limit, run };
}

describe("a limit that finds itself", () => {
  it("comes near to what the dependency can do at once, from below", async () => {
    const { limit, run } = stage(1000);
    await run(5000);

    expect(limit.limit).toBeGreaterThanOrEqual(18);
    expect(limit.limit).toBeLessThanOrEqual(40);
  });

  it("stays there, however long calls queue", async () => {
    const { limit, run } = stage(1000);
    await run(100_000);

    expect(limit.limit).toBeGreaterThanOrEqual(18);
    expect(limit.limit).toBeLessThanOrEqual(40);
  }, 30_000);

  it("follows when the dependency can do less, and more again", async () => {
    const { dependency, limit, run } = stage(1000);
    await run(3000);
    const before = limit.limit;
    dependency.workers = 5;
    await run(3000);
    const less = limit.limit;
    dependency.workers = 20;
    await run(5000);

    expect(less).toBeLessThan(before / 2);
    expect(limit.limit).toBeGreaterThanOrEqual(18);
  });

  it("falls at once when calls fail, down to its least", async () => {
    const { dependency, limit, run } = stage(1000);
    dependency.isDown = true;
    await run(2000);

    expect(limit.limit).toBe(1);
  });

  it("takes nothing from what a policy inside turned away, which never reached the dependency", async () => {
    const { time } = fakeTime();
    const limit = new AdaptiveLimit({ name: "api", time });
    const breaker = new Breaker({ name: "api", failureThreshold: 1, recoveryTimeout: 1000, time });
    breaker.forceOpen();
    const stack = compose({ limit, breaker });
    for (let call = 0; call < 50; call += 1) await stack.execute(() => Promise.resolve()).catch(() => undefined);

    expect(limit.limit).toBe(10);
  });

  it("does not take a caller's impatience for the dependency's quickness", async () => {
    const { clock, time } = fakeTime();
    const limit = new AdaptiveLimit({ name: "api", time });
    const make = async (patience: number) => {
      const answer = new Deadline({ timeout: patience, time }).execute((call) =>
        limit.execute(heedful(clock, 20), call),
      );
      const ended = answer.catch(() => undefined);
      await clock.pass(25);
      await ended;
    };
    for (let call = 0; call < 20; call += 1) await make(100);
    for (let call = 0; call < 20; call += 1) await make(4);
    for (let call = 0; call < 100; call += 1) await make(100);

    expect(limit.limit).toBe(10);
  });

  it("falls when calls take longer than their callers wait", async () => {
    const { clock, time } = fakeTime();
    const limit = new AdaptiveLimit({ name: "api", time });
    const make = async (takes: number) => {
      const all = Array.from({ length: 10 }, () =>
        new Deadline({ timeout: 400, time })
          .execute((call) => limit.execute(heedful(clock, takes), call))
          .catch(() => undefined),
      );
      await clock.pass(500);
      await Promise.all(all);
    };
    for (let turn = 0; turn < 5; turn += 1) await make(20);
    const before = limit.limit;
    for (let turn = 0; turn < 10; turn += 1) await make(10_000);

    expect(limit.limit).toBeLessThan(before / 2);
  });

  it("does not grow while nobody uses it", async () => {
    const { limit, run } = stage(2);
    await run(3000);

    expect(limit.limit).toBe(10);
  });

  it("takes a dependency that has become slower for good as it is, in time", async () => {
    const { dependency, limit, run } = stage(1000);
    await run(3000);
    dependency.base = 40;
    await run(60_000);

    expect(limit.limit).toBeGreaterThanOrEqual(15);
  }, 30_000);

  it("refuses limits that contradict each other", () => {
    expect(() => new AdaptiveLimit({ name: "api", initialLimit: 5, maxLimit: 4 })).toThrow(
      /initialLimit \(5\) ≤ maxLimit \(4\)/,
    );
  });
});
