import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { Bulkhead, type BulkheadOptions } from "../../../app/src/resilience/bulkhead.ts";
import { CallerCall } from "../../../app/src/resilience/call.ts";
import { Deadline, DeadlineExceeded } from "../../../app/src/resilience/deadline.ts";
import { Rejected } from "../../../app/src/resilience/rejection.ts";
import { fakeTime, settled } from "./fake-clock.ts";

function clocked(options: Partial<BulkheadOptions> = {}) {
  const { clock, time } = fakeTime();
  return { clock, time, bulkhead: new Bulkhead({ name: "api", maxConcurrent: 2, time, ...options }) };
}

/** Work that ends when it is told to. */
function task() {
  const { promise, resolve } = Promise.withResolvers<string>();
  return {
    work: () => promise,
    end: () => {
      resolve("done");
    },
  };
}

describe("a bulkhead of two", () => {
  it("admits two calls and rejects the third", async () => {
    const { bulkhead } = clocked();
    const { work, end } = task();
    const calls = [bulkhead.execute(work), bulkhead.execute(work)];

    await expect(bulkhead.execute(work)).rejects.toMatchObject({
      rejection: { admitted: false, reason: "full", policy: "api", retryAfterMs: 0 },
    });
    end();
    await Promise.all(calls);
    expect(bulkhead.inFlight).toBe(0);
  });

  it("gives places back when work ends well, fails, or throws before its first await", async () => {
    const { bulkhead } = clocked();
    await bulkhead.execute(() => Promise.resolve());
    await bulkhead.execute(() => Promise.reject(new Error("down"))).catch(() => undefined);
    await bulkhead
      .execute(() => {
        throw new Error("at once");
      })
      .catch(() => undefined);

    expect(bulkhead.inFlight).toBe(0);
  });

  it("lets those in the queue in, in the order in which they came", async () => {
    const { bulkhead } = clocked({ maxConcurrent: 1, maxQueue: 2 });
    const order: string[] = [];
    const first = task();
    const calls = [
      bulkhead.execute(first.work),
      ...["second", "third"].map((name) => bulkhead.execute(() => Promise.resolve(order.push(name)))),
    ];
    await expect(bulkhead.execute(() => Promise.resolve())).rejects.toMatchObject({ rejection: { reason: "full" } });
    expect(bulkhead.queued).toBe(2);
    first.end();
    await Promise.all(calls);

    expect(order).toEqual(["second", "third"]);
    expect(bulkhead.inFlight).toBe(0);
  });

  it("turns away who has waited for too long, and keeps no timer for who has not", async () => {
    const { bulkhead, clock } = clocked({ maxConcurrent: 1, maxQueue: 1, queueTimeout: 100 });
    const { work, end } = task();
    const running = bulkhead.execute(work);
    const waiting = bulkhead.execute(work).catch((error: unknown) => error);
    await clock.pass(110);
    const error = await waiting;
    expect(error).toBeInstanceOf(Rejected);
    expect(error).toMatchObject({ message: "api: no slot became free in time" });
    const next = bulkhead.execute(work);
    end();
    await Promise.all([running, next]);

    expect(clock.timers).toBe(0);
  });

  it("waits no longer than the caller does: not past the deadline, and not for one who has gone", async () => {
    const { bulkhead, clock, time } = clocked({ maxConcurrent: 1, maxQueue: 2 });
    const { work } = task();
    void bulkhead.execute(work);
    const caller = new AbortController();
    let ran = 0;
    const count = () => Promise.resolve((ran += 1));
    const gone = bulkhead.execute(count, new CallerCall({ signal: caller.signal })).catch((error: unknown) => error);
    const late = new Deadline({ timeout: 50, time }).execute((call) => bulkhead.execute(count, call));
    const ended = late.catch((error: unknown) => error);
    caller.abort(new Error("gone"));
    await clock.pass(60);

    expect(await gone).toEqual(new Error("gone"));
    expect(await ended).toBeInstanceOf(DeadlineExceeded);
    expect(bulkhead.stats).toMatchObject({ queued: 0, rejections: { "queue-timeout": 1 } });
    expect(ran).toBe(0);
  });

  it("runs nothing for a caller who goes away in the moment that gives him a place, and gives it to the next", async () => {
    const { bulkhead } = clocked({ maxConcurrent: 1, maxQueue: 2 });
    const first = task();
    void bulkhead.execute(first.work);
    const caller = new AbortController();
    const ran: string[] = [];
    const run = (name: string) => () => Promise.resolve(ran.push(name));
    const gone = bulkhead
      .execute(run("gone"), new CallerCall({ signal: caller.signal }))
      .catch((error: unknown) => error);
    const next = bulkhead.execute(run("next"));
    first.end();
    // Gives the slot to the caller, whose work starts after this.
    await Promise.resolve();
    caller.abort(new Error("gone"));

    expect(await gone).toEqual(new Error("gone"));
    await next;
    expect(ran).toEqual(["next"]);
    expect(bulkhead.inFlight).toBe(0);
  });

  it("lets clients that wait take turns, however many calls one of them has waiting", async () => {
    const { bulkhead } = clocked({ maxConcurrent: 1, maxQueue: 10 });
    const order: string[] = [];
    const first = task();
    const call = (client: string) =>
      bulkhead.execute(() => Promise.resolve(order.push(client)), new CallerCall({ client }));
    const calls = [
      bulkhead.execute(first.work),
      ...["greedy", "greedy", "greedy", "greedy", "late", "later"].map(call),
    ];
    first.end();
    await Promise.all(calls);

    expect(order).toEqual(["greedy", "late", "later", "greedy", "greedy", "greedy"]);
  });

  it("makes room in a full queue for a client with fewer calls in it, at the cost of the one with the most", async () => {
    const { bulkhead } = clocked({ maxConcurrent: 1, maxQueue: 4 });
    const first = task();
    const running = bulkhead.execute(first.work);
    const call = (client: string) => bulkhead.execute(() => Promise.resolve(client), new CallerCall({ client }));
    const greedy = ["greedy", "greedy", "greedy", "greedy", "greedy"].map(call);
    const others = ["one", "two", "one", "two"].map(call);
    const ended = Promise.allSettled([...greedy, ...others]);
    first.end();
    await running;

    expect((await ended).map(({ status }) => status === "fulfilled")).toEqual([
      ...[true, true, false, false, false],
      ...[true, true, false, false],
    ]);
    expect(bulkhead.stats).toMatchObject({ queued: 0, inFlight: 0, rejections: { full: 5 } });
  });

  it("refuses a limit under one", () => {
    expect(() => new Bulkhead({ name: "api", maxConcurrent: 0 })).toThrow("'maxConcurrent' (0) of 'api'");
  });

  it("never runs more than its limit, loses no place and forgets no call, whatever callers do", async () => {
    const step = fc.oneof(
      fc.constant({ do: "call" } as const),
      fc.record({ do: fc.constantFrom("end", "leave"), which: fc.nat(9) }),
      fc.record({ do: fc.constant("wait" as const), milliseconds: fc.integer({ min: 1, max: 80 }) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40, size: "max" }), async (steps) => {
        const { bulkhead, clock } = clocked({ maxQueue: 2, queueTimeout: 100 });
        const calls: { end: () => void; leave: () => void; over: Promise<unknown> }[] = [];
        let running = 0;
        for (const taken of steps) {
          if (taken.do === "call") {
            const { promise, resolve } = Promise.withResolvers<undefined>();
            const caller = new AbortController();
            const work = async () => {
              running += 1;
              await promise;
              running -= 1;
            };
            const over = bulkhead
              .execute(work, new CallerCall({ signal: caller.signal }))
              .catch((error: unknown) => error);
            calls.push({
              end: () => {
                resolve(undefined);
              },
              leave: () => {
                caller.abort();
              },
              over,
            });
          } else if (taken.do === "wait") await clock.pass(taken.milliseconds);
          else if (calls.length > 0) calls[taken.which % calls.length]?.[taken.do]();
          await settled();
          expect(running).toBe(bulkhead.inFlight);
          expect(running).toBeLessThanOrEqual(2);
          expect(bulkhead.queued).toBeLessThanOrEqual(2);
          expect(bulkhead.queued > 0 && running < 2).toBe(false);
        }
        for (const { end } of calls) end();
        await Promise.all(calls.map(({ over }) => over));
        expect([bulkhead.inFlight, bulkhead.queued]).toEqual([0, 0]);
      }),
      { numRuns: 300 },
    );
  }, 30_000);
});
