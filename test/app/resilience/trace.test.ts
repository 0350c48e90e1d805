import { describe, expect, it } from "@jest/globals";
import { Breaker } from "../../../app/src/resilience/breaker.ts";
import { Bulkhead } from "../../../app/src/resilience/bulkhead.ts";
import { CallerCall, type CallOptions } from "../../../app/src/resilience/call.ts";
import { compose } from "../../../app/src/resilience/compose.ts";
import { Deadline } from "../../../app/src/resilience/deadline.ts";
import { Fallback } from "../../../app/src/resilience/fallback.ts";
import { LoadBalancer } from "../../../app/src/resilience/load-balancer.ts";
import { RateLimiter } from "../../../app/src/resilience/rate-limiter.ts";
import { RetryBudget } from "../../../app/src/resilience/retry-budget.ts";
import { Retry } from "../../../app/src/resilience/retry.ts";
import type { Decision } from "../../../app/src/resilience/trace.ts";
import { fakeTime } from "./fake-clock.ts";

const down = () => Promise.reject(new Error("down"));
const forever = () => new Promise<never>(() => undefined);

function traced(options: CallOptions = {}) {
  const decisions: Decision[] = [];
  const trace = { decided: (decision: Decision) => void decisions.push(decision) };
  return { decisions, call: new CallerCall({ ...options, trace }) };
}

function rich(): RetryBudget {
  const budget = new RetryBudget({ ratio: 10 });
  budget.earn();
  return budget;
}

describe("the trace of a call", () => {
  it("tells the story of one that fails twice, meets an open breaker and gets another answer", async () => {
    const { clock, time } = fakeTime();
    const guarded = compose({
      fallback: new Fallback({ answer: () => "something else" }),
      retry: new Retry({ name: "api", attempts: 4, budget: rich(), time, random: () => 0 }),
      breaker: new Breaker({ name: "api", failureThreshold: 2, recoveryTimeout: 60_000, time }),
    });
    const { call, decisions } = traced({ repeatable: true });
    const answer = guarded.execute(down, call);
    await clock.pass(1000);

    expect(await answer).toBe("something else");
    const admitted = { policy: "breaker", name: "api", decision: "admitted", details: { state: "closed" } };
    expect(decisions).toEqual([
      admitted,
      { policy: "retry", name: "api", decision: "retried", took: 100, details: { attempt: 2 } },
      admitted,
      { policy: "retry", name: "api", decision: "retried", took: 100, details: { attempt: 3 } },
      {
        policy: "breaker",
        name: "api",
        decision: "rejected",
        details: { reason: "open", retryAfterMs: expect.any(Number) },
      },
      { policy: "fallback", decision: "answered", details: { instead: "Rejected" } },
    ]);
  });

  it("says why no further attempt was made", async () => {
    const { clock, time } = fakeTime();
    const retry = new Retry({ name: "api", attempts: 2, budget: rich(), time });
    const { call, decisions } = traced({ repeatable: true });
    const answer = retry.execute(down, call).catch(() => undefined);
    await clock.pass(1000);
    await answer;

    expect(decisions.at(-1)).toEqual({
      policy: "retry",
      name: "api",
      decision: "gave up",
      details: { why: "attempts", attempts: 2 },
    });
  });

  it("names the deadline that passed, once, however many are around it", async () => {
    const { clock, time } = fakeTime();
    const inner = new Deadline({ timeout: 5000, time });
    const outer = new Deadline({ timeout: 200, time });
    const { call, decisions } = traced();
    const answer = outer.execute((narrowed) => inner.execute(forever, narrowed), call).catch(() => undefined);
    await clock.pass(10_000);
    await answer;

    expect(decisions).toEqual([{ policy: "deadline", decision: "exceeded", took: 200 }]);
  });

  it("shows how long a call waited for its place, and who got none", async () => {
    const { clock, time } = fakeTime();
    const bulkhead = new Bulkhead({ name: "places", maxConcurrent: 1, maxQueue: 1, queueTimeout: 400, time });
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const first = traced();
    const second = traced();
    const third = traced();
    const answers = [
      bulkhead.execute(() => promise, first.call),
      bulkhead.execute(() => Promise.resolve(), second.call),
    ];
    await bulkhead.execute(down, third.call).catch(() => undefined);
    await clock.pass(80);
    resolve(undefined);
    await Promise.all(answers);

    expect(first.decisions).toEqual([]);
    expect(second.decisions).toEqual([{ policy: "bulkhead", name: "places", decision: "admitted", took: 80 }]);
    expect(third.decisions).toEqual([
      { policy: "bulkhead", name: "places", decision: "rejected", details: { reason: "full", retryAfterMs: 0 } },
    ]);
  });

  it("tells the one who waited in vain, not the one who kept the place", async () => {
    const { clock, time } = fakeTime();
    const bulkhead = new Bulkhead({ name: "places", maxConcurrent: 1, maxQueue: 1, queueTimeout: 400, time });
    const holder = traced();
    void bulkhead.execute(forever, holder.call);
    const { call, decisions } = traced();
    const answer = bulkhead.execute(forever, call).catch(() => undefined);
    await clock.pass(1000);
    await answer;

    expect(holder.decisions).toEqual([]);
    expect(decisions).toEqual([
      {
        policy: "bulkhead",
        name: "places",
        decision: "rejected",
        details: { reason: "queue-timeout", retryAfterMs: 0 },
      },
    ]);
  });

  it("shows that a client asked too often", async () => {
    const { time } = fakeTime();
    const limiter = new RateLimiter({ name: "clients", rate: 1, time });
    const { call, decisions } = traced({ client: "alice" });
    await limiter.execute(() => Promise.resolve(), call);
    await limiter.execute(() => Promise.resolve(), call).catch(() => undefined);

    expect(decisions).toEqual([
      {
        policy: "rate-limiter",
        name: "clients",
        decision: "rejected",
        details: { reason: "rate", retryAfterMs: 1000 },
      },
    ]);
  });

  it("names the endpoint that was picked", async () => {
    const breaker = new Breaker({ name: "one", failureThreshold: 1, recoveryTimeout: 1000 });
    const balancer = new LoadBalancer({ name: "api", endpoints: [{ name: "one", target: 1, breaker }] });
    const { call, decisions } = traced();
    await balancer.execute((target) => Promise.resolve(target), "random", call);

    expect(decisions).toEqual([
      { policy: "load-balancer", name: "api", decision: "picked", details: { endpoint: "one" } },
    ]);
  });
});
