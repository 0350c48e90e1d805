import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { CallerCall } from "../../../app/src/resilience/call.ts";
import { Deadline } from "../../../app/src/resilience/deadline.ts";
import { Rejected, thrown } from "../../../app/src/resilience/rejection.ts";
import { parseRetryAfter } from "../../../app/src/resilience/retry-after.ts";
import { RetryBudget } from "../../../app/src/resilience/retry-budget.ts";
import { Retry, type RetryEvent, type RetryOptions } from "../../../app/src/resilience/retry.ts";
import { fakeTime } from "./fake-clock.ts";

const REPEATABLE = new CallerCall({ repeatable: true });

/** A budget that has no end in a test. */
function rich(): RetryBudget {
  const budget = new RetryBudget({ ratio: 1000, max: 1000 });
  budget.earn();
  return budget;
}

function clocked(options: Partial<RetryOptions> = {}) {
  const { clock, time } = fakeTime();
  const retry = new Retry({ name: "api", budget: rich(), time, random: () => 0.5, ...options });
  const events: RetryEvent[] = [];
  retry.events.on((event) => events.push(event));
  return { clock, time, retry, events };
}

/** Fails so many times, then answers. */
function failing(times: number, error: unknown = new Error("down")) {
  const attempts = { made: 0, work: () => Promise.resolve("answer") };
  attempts.work = async () => {
    attempts.made += 1;
    if (attempts.made <= times) throw error;
    return Promise.resolve("answer");
  };
  return attempts;
}

describe("retry", () => {
  it("makes a repeatable call again until it succeeds, pausing longer each time", async () => {
    const { retry, clock, events } = clocked();
    const attempts = failing(2);
    const answer = retry.execute(attempts.work, REPEATABLE);
    await clock.pass(1000);

    expect(await answer).toBe("answer");
    // Between 100 and three times the last pause, half-way: (100 + 300) / 2, (100 + 600) / 2.
    expect(events).toEqual([
      { type: "retry", name: "api", attempt: 2, delayMs: 200 },
      { type: "retry", name: "api", attempt: 3, delayMs: 350 },
    ]);
  });

  it("never repeats a call that its caller has not called repeatable", async () => {
    const { retry } = clocked();
    const attempts = failing(1);

    await expect(retry.execute(attempts.work)).rejects.toThrow("down");
    expect(attempts.made).toBe(1);
  });

  it("throws the last error when its attempts are used up", async () => {
    const { retry, clock, events } = clocked({ attempts: 2 });
    const attempts = failing(9);
    const ended = expect(retry.execute(attempts.work, REPEATABLE)).rejects.toThrow("down");
    await clock.pass(10_000);
    await ended;

    expect(attempts.made).toBe(2);
    expect(events.at(-1)).toEqual({ type: "gave-up", name: "api", why: "attempts", attempts: 2 });
  });

  it("adds the pause that an error asks for, and gives up where that is too long", async () => {
    const { retry, clock, events } = clocked({ maxDelay: 5000 });
    const soon = retry.execute(failing(1, Object.assign(new Error(), { retryAfterMs: 2000 })).work, REPEATABLE);
    await clock.pass(2300);
    expect(await soon).toBe("answer");
    await retry
      .execute(failing(1, Object.assign(new Error(), { retryAfterMs: 5001 })).work, REPEATABLE)
      .catch(() => undefined);

    expect(events).toMatchObject([{ delayMs: 2200 }, { why: "retry-after" }]);
  });

  it("does not begin a pause that the deadline would end", async () => {
    const { retry, time, events } = clocked();
    await new Deadline({ timeout: 150, time })
      .execute((call) => retry.execute(failing(1).work, call), REPEATABLE)
      .catch(() => undefined);

    expect(events).toMatchObject([{ why: "deadline" }]);
  });

  it("stops pausing when the caller goes away", async () => {
    const { clock, retry } = clocked();
    const caller = new AbortController();
    const attempts = failing(9);
    const ended = retry.execute(attempts.work, new CallerCall({ repeatable: true, signal: caller.signal }));
    await Promise.resolve();
    caller.abort(new Error("gone"));

    await expect(ended).rejects.toThrow("gone");
    expect([attempts.made, clock.timers]).toEqual([1, 0]);
  });

  it.each([
    ["what a policy inside turned away", thrown({ admitted: false, reason: "open", policy: "x", retryAfterMs: 0 }), {}],
    [
      "what its options say will not pass",
      new RangeError(),
      { isRetryable: (e: unknown) => !(e instanceof RangeError) },
    ],
  ])("does not repeat %s", async (_what, error, options) => {
    const { retry } = clocked(options);
    const attempts = failing(9, error);

    await expect(retry.execute(attempts.work, REPEATABLE)).rejects.toBe(error);
    expect(attempts.made).toBe(1);
    expect(error instanceof Rejected ? error.stack?.includes("\n    at ") : false).toBe(false);
  });

  it("keeps every pause between the base and the longest, whatever the dice show", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.infiniteStream(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })),
        async (dice) => {
          const { retry, clock, events } = clocked({
            attempts: 8,
            maxDelay: 2000,
            random: () => dice.next().value as number,
          });
          const ended = retry.execute(failing(99).work, REPEATABLE).catch(() => undefined);
          await clock.pass(20_000);
          await ended;
          const pauses = events.flatMap((event) => (event.type === "retry" ? [event.delayMs] : []));
          expect(pauses).toHaveLength(7);
          expect(Math.min(...pauses)).toBeGreaterThanOrEqual(100);
          expect(Math.max(...pauses)).toBeLessThanOrEqual(2000);
        },
      ),
      { numRuns: 50 },
    );
  }, 30_000);
});

describe("a retry budget of a tenth", () => {
  it("allows one repetition per ten calls, never more, however they are interleaved", () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { maxLength: 500, size: "max" }), (isCall) => {
        const budget = new RetryBudget();
        let calls = 0;
        let repetitions = 0;
        for (const one of isCall) {
          if (one) {
            calls += 1;
            budget.earn();
          } else if (budget.trySpend()) repetitions += 1;
          expect(repetitions).toBeLessThanOrEqual(calls / 10);
        }
      }),
    );
  });

  it("allows the tenth call its repetition, and saves up no more than ten", () => {
    const budget = new RetryBudget();
    for (let call = 0; call < 10; call += 1) budget.earn();
    expect([budget.trySpend(), budget.trySpend()]).toEqual([true, false]);
    for (let call = 0; call < 1000; call += 1) budget.earn();
    let allowed = 0;
    while (budget.trySpend()) allowed += 1;

    expect(allowed).toBe(10);
  });
});

describe("a Retry-After header", () => {
  const now = Date.UTC(2015, 9, 21, 7, 28, 0);

  it.each([
    ["120", 120_000],
    [" 0 ", 0],
    ["Wed, 21 Oct 2015 07:28:30 GMT", 30_000],
    ["Wednesday, 21-Oct-15 07:28:30 GMT", 30_000],
    ["Wed, 21 Oct 2015 07:00:00 GMT", 0],
    ["-5", undefined],
    ["1.5", undefined],
    ["soon", undefined],
    ["", undefined],
    [null, undefined],
  ])("of '%s' asks for %s ms", (header, milliseconds) => {
    expect(parseRetryAfter(header, now)).toBe(milliseconds);
  });
});
