import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { Breaker } from "../../../app/src/resilience/breaker.ts";
import { CallerCall } from "../../../app/src/resilience/call.ts";
import { FailureRate } from "../../../app/src/resilience/failure-rate.ts";
import type { Permit } from "../../../app/src/resilience/permit.ts";
import { BreakerModel } from "./breaker-model.ts";
import { fakeTime, settled } from "./fake-clock.ts";

const RECOVERY = 1000;
const TIMEOUT = 400;
const SHORT = 100;
/** What the wheel rounds up to: with multiples of it, alarms ring at the millisecond. */
const TICK = 4;

const limits = fc.record({
  failureThreshold: fc.integer({ min: 1, max: 4 }),
  rate: fc.option(
    fc.record({
      threshold: fc.constantFrom(0.25, 0.5, 1),
      minimumCalls: fc.integer({ min: 1, max: 5 }),
      window: fc.constantFrom(500, 5000),
    }),
    { nil: undefined },
  ),
  successThreshold: fc.integer({ min: 1, max: 3 }),
  halfOpenLimit: fc.integer({ min: 1, max: 3 }),
  // The second is over before a probe must be.
  recoveryTimeout: fc.constantFrom(RECOVERY, SHORT),
});

type Limits = typeof limits extends fc.Arbitrary<infer L> ? L : never;

function both({ rate, ...options }: Limits) {
  const { clock, time } = fakeTime();
  const breaker = new Breaker({
    name: "api",
    ...options,
    ...(rate && { rule: new FailureRate(rate) }),
    timeout: TIMEOUT,
    time,
    random: () => 0.5,
  });
  const model = new BreakerModel({ ...options, ...(rate && { rate }), patience: TIMEOUT }, time.now());
  return { breaker, model, clock, time };
}

/** What pods decide together, and that nothing is known of them any more. */
const withOthers = fc.oneof(
  fc.record({
    do: fc.constant("hold" as const),
    remaining: fc.constantFrom(0, TICK, RECOVERY, Infinity),
    openings: fc.integer({ min: 1, max: 3 }),
  }),
  fc.record({ do: fc.constant("lend" as const), useIn: fc.constantFrom(0, SHORT, RECOVERY) }),
  fc.constantFrom({ do: "let go" } as const, { do: "close with others" } as const),
);
const byHand = fc.constantFrom({ do: "force" } as const, { do: "reset" } as const);
const backwards = fc.record({ do: fc.constant("jump back" as const), milliseconds: fc.integer({ min: 1, max: 1e7 }) });
/** Any time, and often one at which something is just due or just not. */
const milliseconds = fc.oneof(
  fc.integer({ min: 1, max: 500 }).map((ticks) => ticks * TICK),
  fc
    .constantFrom(SHORT, TIMEOUT, RECOVERY, 0.9 * RECOVERY, 1.8 * RECOVERY)
    .chain((due) => fc.constantFrom(due - TICK, due)),
);
const wait = fc.record({ do: fc.constant("wait" as const), milliseconds });
/** The latest calls more often than those of long ago. */
const which = fc.oneof(fc.nat(2), fc.nat(9));
const settling = fc.record({ do: fc.constantFrom("succeed", "fail", "fail", "cancel"), which });
/** Until an open breaker is just due, or as long as it takes anything to be. */
const untilDue = fc.constant({ do: "wait" as const, milliseconds: undefined });
const begin = { do: "call" } as const;
/** Whole calls, without which most histories would never leave the closed state. */
const good = [begin, { do: "succeed", which: 0 } as const];
const bad = [begin, { do: "fail", which: 0 } as const];
const steps = fc
  .array(
    fc.oneof(
      { weight: 3, arbitrary: fc.constant([begin]) },
      { weight: 3, arbitrary: settling.map((step) => [step]) },
      { weight: 3, arbitrary: fc.constantFrom(good, bad, [bad, bad, bad, bad].flat()) },
      { weight: 2, arbitrary: untilDue.map((step) => [step]) },
      { weight: 2, arbitrary: wait.map((step) => [step]) },
      { weight: 1, arbitrary: backwards.map((step) => [step]) },
      { weight: 1, arbitrary: byHand.map((step) => [step]) },
      { weight: 2, arbitrary: withOthers.map((step) => [step]) },
    ),
    { maxLength: 40, size: "max" },
  )
  .map((parts) => parts.flat());

type WithOthers = typeof withOthers extends fc.Arbitrary<infer S> ? S : never;

function isWithOthers(step: { readonly do: string }): step is WithOthers {
  return ["hold", "lend", "let go", "close with others"].includes(step.do);
}

/** Does to both what pods have decided together. */
function decide(step: WithOthers, breaker: Breaker, model: BreakerModel, now: number): void {
  if (step.do === "hold") {
    breaker.holdOpen({ ...step, rejected: () => undefined });
    model.holdOpen(step.remaining, step.openings);
  } else if (step.do === "lend") {
    breaker.lend({ useBy: now + step.useIn, settle: () => undefined });
    model.lend(now + step.useIn);
  } else if (step.do === "let go") {
    breaker.letGo();
    model.letGo();
  } else {
    breaker.closeWithOthers();
    model.closeWithOthers();
  }
}

/** Milliseconds, in whole ticks, that a wait stands for. */
function length(milliseconds: number | undefined, breaker: Breaker): number {
  return milliseconds ?? (Math.ceil(breaker.stats.retryAfterMs / TICK) * TICK || TIMEOUT);
}

describe("any history of permits, outcomes, waits, clock jumps and hands", () => {
  it("leaves the breaker where a plain model of it stands", () => {
    fc.assert(
      fc.property(limits, steps, (options, history) => {
        const { breaker, model, clock, time } = both(options);
        const permits: Permit[] = [];
        for (const step of history) {
          if (step.do === "call") {
            const answer = breaker.tryAcquire();
            expect(answer.admitted).toBe(model.acquire());
            if (answer.admitted) permits.push(answer);
          } else if (step.do === "wait") {
            const passed = length(step.milliseconds, breaker);
            clock.advance(passed);
            model.wait(passed);
          } else if (step.do === "jump back") clock.jump(-step.milliseconds);
          else if (step.do === "force") {
            breaker.forceOpen();
            model.forceOpen();
          } else if (step.do === "reset") {
            breaker.reset();
            model.reset();
          } else if (isWithOthers(step)) decide(step, breaker, model, time.now());
          else if (permits.length > 0) {
            const index = permits.length - 1 - (step.which % permits.length);
            permits[index]?.[step.do]();
            model.settle(index, step.do);
          }
          expect(breaker.state).toBe(model.state);
        }
      }),
      { numRuns: 3000 },
    );
  });
});

describe("any interleaving of calls, answers, cancellations and timeouts", () => {
  it("moves the breaker through the states of the model, in its order", async () => {
    await fc.assert(
      fc.asyncProperty(limits, steps, async (options, history) => {
        const { breaker, model, clock, time } = both(options);
        const calls: { readonly startedAt: number; readonly end: (how: "succeed" | "fail" | "cancel") => void }[] = [];
        const passed: string[] = [];
        breaker.events.on((event) => {
          if (event.type === "transition") passed.push(event.to);
        });
        const modelPassed: string[] = [];
        const note = (change: () => void) => {
          const before = model.state;
          change();
          if (model.state !== before) modelPassed.push(model.state);
        };

        for (const step of history) {
          if (step.do === "call") {
            const caller = new AbortController();
            const { promise, resolve, reject } = Promise.withResolvers<undefined>();
            const admissions: string[] = [];
            breaker
              .execute(
                () => {
                  admissions.push("admitted");
                  return promise;
                },
                new CallerCall({ signal: caller.signal }),
              )
              .catch(() => undefined);
            const before = model.state;
            const isAdmitted = model.acquire();
            if (model.state !== before) modelPassed.push(model.state);
            expect(admissions).toHaveLength(isAdmitted ? 1 : 0);
            if (isAdmitted) {
              calls.push({
                startedAt: time.now(),
                end: (how) => {
                  if (how === "succeed") resolve(undefined);
                  else if (how === "fail") reject(new Error("down"));
                  else caller.abort();
                },
              });
            }
          } else if (step.do === "wait") {
            // The model hears of timeouts in the order in which they come.
            const until = time.now() + length(step.milliseconds, breaker);
            while (time.now() < until) {
              const now = time.now();
              const next = Math.min(
                until,
                ...calls.map(({ startedAt }) => startedAt + TIMEOUT).filter((at) => at > now),
              );
              model.wait(next - now);
              await clock.pass(next - now);
              calls.forEach(({ startedAt }, index) => {
                if (startedAt + TIMEOUT === next)
                  note(() => {
                    model.settle(index, "fail");
                  });
              });
            }
          } else if (step.do === "jump back") clock.jump(-step.milliseconds);
          else if (step.do === "force") {
            breaker.forceOpen();
            note(() => {
              model.forceOpen();
            });
          } else if (step.do === "reset") {
            breaker.reset();
            note(() => {
              model.reset();
            });
          } else if (isWithOthers(step)) {
            note(() => {
              decide(step, breaker, model, time.now());
            });
          } else if (calls.length > 0) {
            const index = calls.length - 1 - (step.which % calls.length);
            calls[index]?.end(step.do);
            await settled();
            const call = calls[index];
            if (call !== undefined && time.now() - call.startedAt < TIMEOUT)
              note(() => {
                model.settle(index, step.do);
              });
          }
          await settled();
          expect(breaker.state).toBe(model.state);
        }
        expect(passed).toEqual(modelPassed);
        expect(clock.timers).toBeLessThanOrEqual(calls.length);
      }),
      { numRuns: 300 },
    );
  }, 30_000);
});
