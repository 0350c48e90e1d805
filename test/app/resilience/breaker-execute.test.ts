import { describe, expect, it, jest } from "@jest/globals";
import { Breaker } from "../../../app/src/resilience/breaker.ts";
import { CallerCall, type Call, type Work } from "../../../app/src/resilience/call.ts";
import { Deadline, DeadlineExceeded } from "../../../app/src/resilience/deadline.ts";
import { Rejected } from "../../../app/src/resilience/rejection.ts";
import { fakeTime } from "./fake-clock.ts";

import { clocked, fail, failure, forever } from "./a-breaker.ts";

describe("execute", () => {
  it("returns what the work returns and throws what it throws", async () => {
    const { breaker } = clocked();

    expect(await breaker.execute(() => Promise.resolve(42))).toBe(42);
    await expect(breaker.execute(failure)).rejects.toThrow("down");
    expect(breaker.stats).toMatchObject({ successes: 1, failures: 1 });
  });

  it("throws Rejected with the time to wait, without calling", async () => {
    const { breaker } = clocked();
    fail(breaker, 3);
    const work = jest.fn(() => Promise.resolve());

    const rejected = await breaker.execute(work).catch((error: unknown) => error);

    expect(rejected).toBeInstanceOf(Rejected);
    expect(rejected).toMatchObject({
      message: "api: the circuit breaker is open; try again in 1000 ms",
      retryAfterMs: 1000,
    });
    expect(work).not.toHaveBeenCalled();
    expect(breaker.stats.rejections).toBe(1);
  });

  it("aborts a call that takes too long, and counts it as a failure even if it ignores the signal", async () => {
    const { breaker, clock } = clocked();
    let seen: AbortSignal | undefined;
    const late = breaker.execute((call) => {
      seen = call.signal;
      return forever();
    });
    const ended = expect(late).rejects.toBeInstanceOf(DeadlineExceeded);
    await clock.pass(60);

    await ended;
    expect(seen?.aborted).toBe(true);
    expect(breaker.stats).toMatchObject({ failures: 1, timeouts: 1 });
  });

  it("counts neither way when the caller goes away", async () => {
    const { breaker } = clocked();
    const caller = new AbortController();
    const pending = breaker.execute(forever, new CallerCall({ signal: caller.signal }));
    caller.abort(new Error("gone"));

    await expect(pending).rejects.toThrow("gone");
    expect(breaker.stats).toMatchObject({ failures: 0, successes: 0 });
  });

  it("counts a deadline from outside as a failure: what hangs must be found out by impatient callers, too", async () => {
    const { breaker, clock, time } = clocked();
    const pending = new Deadline({ timeout: 20, time }).execute((call) => breaker.execute(forever, call));
    const ended = expect(pending).rejects.toBeInstanceOf(DeadlineExceeded);
    await clock.pass(30);

    await ended;
    expect(breaker.stats).toMatchObject({ failures: 1, timeouts: 1 });
  });

  it.each<[string, Work<never>]>([
    ["does not heed its signal", forever],
    [
      "says in its own words that it was aborted",
      ({ signal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener("abort", () => {
            reject(new Error("aborted"));
          });
        }),
    ],
  ])("does so without a timeout of its own, even if the work %s", async (_what, work) => {
    const { clock, time } = fakeTime();
    const breaker = new Breaker({ name: "api", failureThreshold: 3, recoveryTimeout: 1000, time });
    const pending = new Deadline({ timeout: 20, time }).execute((call) => breaker.execute(work, call));
    const ended = expect(pending).rejects.toBeInstanceOf(DeadlineExceeded);
    await clock.pass(30);

    await ended;
    expect(breaker.stats).toMatchObject({ failures: 1, timeouts: 1 });
  });

  it("counts an error as what the judge says: a failure, a success, or nothing", async () => {
    const { breaker } = clocked({
      judge: (error) => (error instanceof Error && error.message === "no such city" ? "success" : "nothing"),
    });
    const { breaker: strict } = clocked({ judge: () => "failure" });
    await strict.execute(() => Promise.reject(new Error("down"))).catch(() => undefined);
    for (const error of [new Error("no such city"), new Error("bad request")])
      await breaker.execute(() => Promise.reject(error)).catch(() => undefined);

    expect(breaker.stats).toMatchObject({ successes: 1, failures: 0 });
    expect(strict.stats).toMatchObject({ successes: 0, failures: 1 });
  });

  it("counts as nothing that a policy inside of it let nothing through", async () => {
    const { breaker } = clocked();
    const full = clocked({ name: "inner" }).breaker;
    full.forceOpen();
    await expect(breaker.execute((call: Call) => full.execute(forever, call))).rejects.toBeInstanceOf(Rejected);

    expect(breaker.stats).toMatchObject({ successes: 0, failures: 0 });
  });

  it("tells with each transition the last error since it was closed", async () => {
    const { breaker, clock } = clocked({ failureThreshold: 2, successThreshold: 1 });
    const seen: unknown[] = [];
    breaker.events.on((event) => {
      if (event.type === "transition") seen.push([event.reason, event.error]);
    });
    const [first, second, third] = [new Error("first"), new Error("second"), new Error("third")];
    const failWith = (error: Error) => breaker.execute(() => Promise.reject(error)).catch(() => undefined);
    await failWith(first);
    await failWith(second);
    clock.advance(100_000);
    await failWith(third);
    clock.advance(100_000);
    await breaker.execute(() => Promise.resolve());
    breaker.forceOpen();

    expect(seen).toEqual([
      ["failures", second],
      ["recovery-time", second],
      ["probe-failed", third],
      ["recovery-time", third],
      ["probes-succeeded", third],
      ["forced", undefined],
    ]);
  });
});
