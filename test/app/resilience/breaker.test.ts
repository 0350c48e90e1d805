import { describe, expect, it, jest } from "@jest/globals";
import fc from "fast-check";
import {
  Breaker,
  BreakerOpen,
  CallTimeout,
  type BreakerOptions,
  type Permit,
  type Rejection,
  type Transition,
} from "../../../app/src/resilience/breaker.ts";
import { BreakerModel } from "./breaker-model.ts";

function clocked(options: Partial<BreakerOptions> = {}) {
  let now = 0;
  const breaker = new Breaker({
    name: "api",
    failureThreshold: 3,
    recoveryTimeout: 1000,
    successThreshold: 2,
    halfOpenLimit: 1,
    timeout: 50,
    now: () => now,
    ...options,
  });
  return { breaker, pass: (milliseconds: number) => (now += milliseconds) };
}

function admitted(answer: Permit | Rejection): Permit {
  if (!answer.admitted) throw new Error(`rejected, retry after ${answer.retryAfterMs} ms`);
  return answer;
}

const failure = () => Promise.reject(new Error("down"));

function fail(breaker: Breaker, times: number): void {
  for (let time = 0; time < times; time += 1) admitted(breaker.tryAcquire()).fail();
}

describe("a breaker of three failures", () => {
  it("opens at the third failure in a row and says when to try again", () => {
    const { breaker, pass } = clocked();
    fail(breaker, 3);
    pass(400);

    expect(breaker.state).toBe("open");
    expect(breaker.tryAcquire()).toEqual({ admitted: false, retryAfterMs: 600 });
  });

  it("starts counting anew after a success", () => {
    const { breaker } = clocked();
    fail(breaker, 2);
    admitted(breaker.tryAcquire()).succeed();
    fail(breaker, 2);

    expect(breaker.state).toBe("closed");
  });

  it("lets one probe through after the recovery time, and no second one beside it", () => {
    const { breaker, pass } = clocked();
    fail(breaker, 3);
    pass(1000);
    admitted(breaker.tryAcquire());

    expect(breaker.state).toBe("half-open");
    expect(breaker.tryAcquire()).toEqual({ admitted: false, retryAfterMs: 0 });
  });

  it("closes after two successful probes", () => {
    const { breaker, pass } = clocked();
    fail(breaker, 3);
    pass(1000);
    admitted(breaker.tryAcquire()).succeed();
    expect(breaker.state).toBe("half-open");
    admitted(breaker.tryAcquire()).succeed();

    expect(breaker.state).toBe("closed");
  });

  it("opens again, for the whole recovery time, when a probe fails", () => {
    const { breaker, pass } = clocked();
    fail(breaker, 3);
    pass(1000);
    admitted(breaker.tryAcquire()).fail();
    pass(999);

    expect(breaker.tryAcquire()).toEqual({ admitted: false, retryAfterMs: 1 });
  });

  it("gives a cancelled probe's place to the next one", () => {
    const { breaker, pass } = clocked();
    fail(breaker, 3);
    pass(1000);
    admitted(breaker.tryAcquire()).cancel();

    expect(breaker.tryAcquire().admitted).toBe(true);
  });

  it("is not moved by calls that began before it last changed state", () => {
    const { breaker, pass } = clocked();
    const early = [1, 2].map(() => admitted(breaker.tryAcquire()));
    fail(breaker, 3);
    pass(1000);
    admitted(breaker.tryAcquire());
    early[0]?.fail();
    early[1]?.succeed();

    expect(breaker.state).toBe("half-open");
    expect(breaker.tryAcquire().admitted).toBe(false);
  });

  it("counts a permit once, however often it is settled", () => {
    const { breaker } = clocked();
    const permit = admitted(breaker.tryAcquire());
    permit.fail();
    permit.fail();
    permit.succeed();

    expect(breaker.stats).toMatchObject({ failures: 1, successes: 0, consecutiveFailures: 1 });
  });

  it("tells listeners of each change of state until they leave", () => {
    const { breaker, pass } = clocked({ successThreshold: 1 });
    const seen: Transition[] = [];
    const leave = breaker.onTransition((transition) => seen.push(transition));
    fail(breaker, 3);
    pass(1000);
    admitted(breaker.tryAcquire()).succeed();
    leave();
    fail(breaker, 3);

    expect(seen.map(({ from, to }) => `${from} → ${to}`)).toEqual([
      "closed → open",
      "open → half-open",
      "half-open → closed",
    ]);
  });
});

describe("execute", () => {
  it("returns what the call returns and throws what it throws", async () => {
    const { breaker } = clocked();

    expect(await breaker.execute(() => Promise.resolve(42))).toBe(42);
    await expect(breaker.execute(failure)).rejects.toThrow("down");
    expect(breaker.stats).toMatchObject({ successes: 1, failures: 1 });
  });

  it("throws BreakerOpen with the time to wait, without calling", async () => {
    const { breaker } = clocked();
    fail(breaker, 3);
    const call = jest.fn(() => Promise.resolve());

    const rejected = await breaker.execute(call).catch((error: unknown) => error);

    expect(rejected).toBeInstanceOf(BreakerOpen);
    expect(rejected).toMatchObject({ retryAfterMs: 1000 });
    expect(call).not.toHaveBeenCalled();
    expect(breaker.stats.rejections).toBe(1);
  });

  it("aborts a call that takes too long, and counts it as a failure even if it ignores the signal", async () => {
    const { breaker } = clocked({ timeout: 5 });
    let seen: AbortSignal | undefined;

    const late = breaker.execute((signal) => {
      seen = signal;
      return new Promise(() => undefined);
    });

    await expect(late).rejects.toBeInstanceOf(CallTimeout);
    expect(seen?.aborted).toBe(true);
    expect(breaker.stats).toMatchObject({ failures: 1, timeouts: 1 });
  });

  it("counts neither way when the caller goes away", async () => {
    const { breaker } = clocked();
    const caller = new AbortController();
    const pending = breaker.execute(() => new Promise(() => undefined), { signal: caller.signal });
    caller.abort(new Error("gone"));

    await expect(pending).rejects.toThrow("gone");
    expect(breaker.stats).toMatchObject({ failures: 0, successes: 0 });
  });

  it("does not count errors that the predicate excuses", async () => {
    const { breaker } = clocked({ failureThreshold: 1, isFailure: (error) => !(error instanceof RangeError) });

    await expect(breaker.execute(() => Promise.reject(new RangeError("caller's mistake")))).rejects.toThrow(RangeError);
    expect(breaker.state).toBe("closed");
  });
});

describe("any history of calls", () => {
  it("leaves the breaker where a plain model of it stands", () => {
    const step = fc.oneof(
      fc.constant({ do: "acquire" } as const),
      fc.record({ do: fc.constantFrom("succeed", "fail", "cancel"), which: fc.nat(9) }),
      fc.record({ do: fc.constant("wait" as const), milliseconds: fc.integer({ min: 1, max: 1500 }) }),
    );
    const limits = fc.record({
      failureThreshold: fc.integer({ min: 1, max: 4 }),
      successThreshold: fc.integer({ min: 1, max: 3 }),
      halfOpenLimit: fc.integer({ min: 1, max: 3 }),
    });

    fc.assert(
      fc.property(limits, fc.array(step, { maxLength: 60 }), (options, steps) => {
        const { breaker, pass } = clocked(options);
        const model = new BreakerModel({ ...options, recoveryTimeout: 1000 });
        const permits: Permit[] = [];
        for (const taken of steps) {
          if (taken.do === "acquire") {
            const answer = breaker.tryAcquire();
            expect(answer.admitted).toBe(model.acquire());
            if (answer.admitted) permits.push(answer);
          } else if (taken.do === "wait") {
            pass(taken.milliseconds);
            model.wait(taken.milliseconds);
          } else if (permits.length > 0) {
            const index = taken.which % permits.length;
            permits[index]?.[taken.do]();
            model.settle(index, taken.do);
          }
          expect(breaker.state).toBe(model.state);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
