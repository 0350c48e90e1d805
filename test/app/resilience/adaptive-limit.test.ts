import { describe, expect, it } from "@jest/globals";
import { AdaptiveLimit } from "../../../app/src/resilience/adaptive-limit.ts";
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
  });

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
  });

  it("refuses limits that contradict each other", () => {
    expect(() => new AdaptiveLimit({ name: "api", initialLimit: 5, maxLimit: 4 })).toThrow(
      /initialLimit \(5\) ≤ maxLimit \(4\)/,
    );
  });
});
