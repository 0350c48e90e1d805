import { describe, expect, it } from "@jest/globals";
import { Breaker } from "../../../app/src/resilience/breaker.ts";
import { CallerCall, type Call } from "../../../app/src/resilience/call.ts";
import { Hedge, Outrun, type HedgeEvent } from "../../../app/src/resilience/hedge.ts";
import { RetryBudget } from "../../../app/src/resilience/retry-budget.ts";
import { fakeTime, settled } from "./fake-clock.ts";

const REPEATABLE = new CallerCall({ repeatable: true });

/** A hedge that has seen a hundred calls of 1 to 100 ms, and so waits for 95 ms. */
async function learned(budget?: RetryBudget) {
  const { clock, time } = fakeTime();
  const hedge = new Hedge({ name: "api", time, ...(budget && { budget }) });
  const events: HedgeEvent[] = [];
  hedge.events.on((event) => events.push(event));
  for (let milliseconds = 1; milliseconds <= 100; milliseconds += 1) {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const answer = hedge.execute(() => promise);
    clock.advance(milliseconds);
    resolve(undefined);
    await answer;
  }
  return { clock, time, hedge, events };
}

/** Work whose attempts end when they are told to. */
function attempts() {
  const made: { call: Call; answer: (text: string) => void; fail: () => void }[] = [];
  const work = (call: Call) => {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    made.push({
      call,
      answer: resolve,
      fail: () => {
        reject(new Error("down"));
      },
    });
    return promise;
  };
  return { made, work };
}

describe("hedge", () => {
  it("makes a second attempt after the p95, takes the first answer and cancels the other", async () => {
    const { clock, hedge, events } = await learned();
    expect(hedge.delay).toBe(95);
    const { made, work } = attempts();
    const answer = hedge.execute(work, REPEATABLE);
    await clock.pass(90);
    expect(made).toHaveLength(1);
    await clock.pass(15);
    expect(made).toHaveLength(2);
    made[1]?.answer("second");

    expect(await answer).toBe("second");
    expect(made[0]?.call.signal.reason).toBeInstanceOf(Outrun);
    expect(made[1]?.call.signal.aborted).toBe(false);
    expect(events).toEqual([
      { type: "hedged", name: "api", delayMs: 95 },
      { type: "won", name: "api", attempt: "second" },
    ]);
  });

  it("makes no second attempt at what is answered in the usual time, and leaves no alarm behind", async () => {
    const { time, hedge } = await learned();
    const { made, work } = attempts();
    const answer = hedge.execute(work, REPEATABLE);
    made[0]?.answer("first");

    expect(await answer).toBe("first");
    expect([made.length, time.alarms]).toEqual([1, 0]);
  });

  it("makes no second attempt at what may not be repeated, or before it knows what is usual", async () => {
    const { clock, hedge } = await learned();
    const risky = attempts();
    void hedge.execute(risky.work);
    const { made, work } = attempts();
    void new Hedge({ name: "new" }).execute(work, REPEATABLE);
    await clock.pass(1000);

    expect([risky.made.length, made.length]).toEqual([1, 1]);
  });

  it("stays within the budget that it shares with a retry", async () => {
    const budget = new RetryBudget();
    const { clock, hedge } = await learned(budget);
    for (let call = 0; call < 10; call += 1) budget.earn();
    const { made, work } = attempts();
    for (let call = 0; call < 10; call += 1) void hedge.execute(work, REPEATABLE);
    await clock.pass(200);

    expect(made).toHaveLength(10 + 1);
  });

  it("passes a failure on at once, but waits for the other attempt while there is one", async () => {
    const { clock, hedge } = await learned();
    const early = attempts();
    const failed = hedge.execute(early.work, REPEATABLE);
    early.made[0]?.fail();
    await expect(failed).rejects.toThrow("down");

    const { made, work } = attempts();
    const answer = hedge.execute(work, REPEATABLE);
    await clock.pass(110);
    made[0]?.fail();
    await settled();
    made[1]?.answer("second");
    expect(await answer).toBe("second");
  });

  it("throws when both attempts fail", async () => {
    const { clock, hedge } = await learned();
    const { made, work } = attempts();
    const answer = hedge.execute(work, REPEATABLE);
    await clock.pass(110);
    for (const { fail } of made) fail();

    await expect(answer).rejects.toThrow("down");
  });

  it("cancels both attempts with the caller", async () => {
    const { clock, hedge } = await learned();
    const caller = new AbortController();
    const { made, work } = attempts();
    void hedge.execute(work, new CallerCall({ repeatable: true, signal: caller.signal }));
    await clock.pass(110);
    caller.abort(new Error("gone"));

    expect(made.map(({ call }) => call.reason)).toEqual([new Error("gone"), new Error("gone")]);
  });

  it("tells a breaker inside nothing of the attempt that lost", async () => {
    const { clock, time, hedge } = await learned();
    const breaker = new Breaker({ name: "api", failureThreshold: 1, recoveryTimeout: 1000, time, timeout: 500 });
    const { made, work } = attempts();
    const answer = hedge.execute((call) => breaker.execute(work, call), REPEATABLE);
    await clock.pass(110);
    made[1]?.answer("second");
    await answer;
    await settled();

    expect(breaker.stats).toMatchObject({ state: "closed", successes: 1, failures: 0 });
  });
});
