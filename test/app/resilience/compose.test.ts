import { describe, expect, it } from "@jest/globals";
import { Breaker } from "../../../app/src/resilience/breaker.ts";
import { Bulkhead } from "../../../app/src/resilience/bulkhead.ts";
import { CallerCall } from "../../../app/src/resilience/call.ts";
import { compose } from "../../../app/src/resilience/compose.ts";
import { Deadline, DeadlineExceeded } from "../../../app/src/resilience/deadline.ts";
import { Fallback } from "../../../app/src/resilience/fallback.ts";
import { LoadBalancer } from "../../../app/src/resilience/load-balancer.ts";
import { RateLimiter } from "../../../app/src/resilience/rate-limiter.ts";
import { Rejected } from "../../../app/src/resilience/rejection.ts";
import { RetryBudget } from "../../../app/src/resilience/retry-budget.ts";
import { Retry } from "../../../app/src/resilience/retry.ts";
import { fakeTime, settled } from "./fake-clock.ts";

const down = () => Promise.reject(new Error("down"));
const forever = () => new Promise<never>(() => undefined);

function rich(): RetryBudget {
  const budget = new RetryBudget({ ratio: 1000, max: 1000 });
  budget.earn();
  return budget;
}

function full() {
  const { clock, time } = fakeTime();
  const parts = {
    fallback: new Fallback({ answer: () => "something else" as const }),
    rateLimiter: new RateLimiter({ name: "clients", rate: 100, time }),
    deadline: new Deadline({ timeout: 1000, time }),
    limit: new Bulkhead({ name: "places", maxConcurrent: 2, time }),
    retry: new Retry({ name: "retry", budget: rich(), time, random: () => 0 }),
    breaker: new Breaker({ name: "breaker", failureThreshold: 5, recoveryTimeout: 10_000, time }),
    timeout: new Deadline({ timeout: 200, time }),
  };
  return { clock, time, parts, all: compose(parts) };
}

const repeatable = () => new CallerCall({ repeatable: true });

describe("a composition of all policies", () => {
  it("answers what the work answers, typed as it or the fallback's answer", async () => {
    const { clock, all } = full();
    const answer: number | "something else" = await all.execute(() => Promise.resolve(42));

    expect(answer).toBe(42);
    expect(clock.timers).toBe(0);
  });

  it("counts each attempt in the breaker, and the call once in the rate limit and the bulkhead", async () => {
    const { all, clock, parts } = full();
    let places = 0;
    const answer = all.execute(() => {
      places = Math.max(places, parts.limit.inFlight);
      return down();
    }, repeatable());
    await clock.pass(1000);

    expect(await answer).toBe("something else");
    expect(parts.breaker.stats.failures).toBe(3);
    expect(places).toBe(1);
    expect(parts.limit.inFlight).toBe(0);
  });

  it("makes no further attempt once the breaker is open", async () => {
    const { all, clock, parts } = full();
    let attempts = 0;
    const work = () => {
      attempts += 1;
      return down();
    };
    for (let call = 0; call < 4; call += 1) {
      const answer = all.execute(work, repeatable());
      await clock.pass(900);
      await answer;
    }

    expect(attempts).toBe(5);
    expect(parts.breaker.state).toBe("open");
  });

  it("takes an attempt that takes too long for a failure, and tries again while the caller's time lasts", async () => {
    const { clock, time, parts } = full();
    let attempts = 0;
    const answer = compose({ ...parts, fallback: undefined, deadline: new Deadline({ timeout: 450, time }) })
      .execute(() => {
        attempts += 1;
        return forever();
      }, repeatable())
      .catch((error: unknown) => error);
    await clock.pass(1000);

    expect(await answer).toBeInstanceOf(DeadlineExceeded);
    expect([attempts, parts.breaker.stats.timeouts]).toEqual([2, 2]);
  });

  it("holds one place per call through all its pauses, so that retries cannot pile up", async () => {
    const { clock, parts } = full();
    const stack = compose({ ...parts, fallback: undefined });
    const calls = [1, 2, 3].map(() => stack.execute(down, repeatable()).catch((error: unknown) => error));
    await settled();
    expect(await calls[2]).toBeInstanceOf(Rejected);
    expect(await calls[2]).toMatchObject({ rejection: { policy: "places", reason: "full" } });
    await clock.pass(1000);

    expect(await calls[0]).toEqual(new Error("down"));
  });

  it("cancels everything with the caller, and answers nothing in its place", async () => {
    const { clock, all, parts } = full();
    const caller = new AbortController();
    let signal: AbortSignal | undefined;
    const answer = all.execute(
      (call) => {
        signal = call.signal;
        return forever();
      },
      new CallerCall({ signal: caller.signal }),
    );
    caller.abort(new Error("gone"));

    await expect(answer).rejects.toThrow("gone");
    expect(signal?.aborted).toBe(true);
    await settled();
    expect([parts.limit.inFlight, clock.timers, parts.breaker.stats.failures]).toEqual([0, 0, 0]);
  });

  it("brings the deadline of the whole call to the work, as the abort of its signal", async () => {
    const { clock, time, parts } = full();
    const balancer = new LoadBalancer({
      name: "endpoints",
      endpoints: [{ name: "one", target: 1, breaker: parts.breaker }],
    });
    const stack = compose({ ...parts, deadline: new Deadline({ timeout: 120, time }) });
    const start = time.now();
    const aborts: { readonly after: number; readonly reason: unknown }[] = [];
    const answer = stack.execute(
      (call) =>
        balancer.execute(
          (_target, { signal, deadline }) => {
            expect(deadline).toBe(start + 120);
            signal.addEventListener("abort", () => {
              aborts.push({ after: time.now() - start, reason: signal.reason });
            });
            return forever();
          },
          "random",
          call,
        ),
      repeatable(),
    );
    await clock.pass(1000);

    expect(await answer).toBe("something else");
    expect(aborts).toEqual([{ after: 120, reason: expect.any(DeadlineExceeded) }]);
  });

  it("is the work alone where there are no policies", async () => {
    expect(await compose({}).execute(() => Promise.resolve(42))).toBe(42);
    await expect(
      compose({}).execute(() => {
        throw new Error("at once");
      }),
    ).rejects.toThrow("at once");
  });
});

describe("a fallback", () => {
  it("answers only for the errors that it handles", async () => {
    const fallback = new Fallback({ answer: () => "static", handles: (error) => !(error instanceof RangeError) });

    expect(await fallback.execute(down)).toBe("static");
    await expect(fallback.execute(() => Promise.reject(new RangeError("mistake")))).rejects.toThrow("mistake");
  });
});
