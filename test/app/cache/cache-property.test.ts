import { describe, expect, it, jest } from "@jest/globals";
import fc from "fast-check";
import { Cache } from "../../../app/src/cache/cache.ts";
import { CallerCall, type Call } from "../../../app/src/resilience/call.ts";
import { DeadlineExceeded } from "../../../app/src/resilience/deadline.ts";
import { fakeTime, settled } from "../resilience/fake-clock.ts";
import { CacheModel, type Outcome, type Windows } from "./cache-model.ts";

// A busy machine may take its time.
jest.setTimeout(30_000);

class NoSuchThing extends Error {}
class Gone extends Error {}

/** What alarms are rounded up to: with multiples of it they ring at the millisecond. */
const TICK = 4;
const windows = fc.record({
  ttl: fc.constantFrom(0, 100, 400),
  staleWhileRevalidate: fc.constantFrom(0, 100),
  staleIfError: fc.constantFrom(0, 200, 1000),
  negativeTtl: fc.constantFrom(0, 60),
  timeout: fc.constantFrom(40, 200),
});
const key = fc.constantFrom("a", "b");
/** The latest more often than those of long ago. */
const ago = fc.oneof(fc.constant(0), fc.nat({ max: 4 }));
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant("fetch" as const), key }) },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant("settle" as const),
      ago,
      outcome: fc.constantFrom<Outcome>("value", "value", "error", "no such thing"),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("leave" as const), ago }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("wait" as const),
      milliseconds: fc.oneof(
        fc.integer({ min: 1, max: 150 }).map((ticks) => ticks * TICK),
        fc.constantFrom(40, 60, 100, 200, 400).chain((due) => fc.constantFrom(due - TICK, due)),
      ),
    }),
  },
);

interface Load {
  readonly call: Call;
  readonly resolve: (value: string) => void;
  readonly reject: (error: Error) => void;
}

/** The real cache, driven like the model and telling its story in the model's words. */
function realCache({ negativeTtl, ...options }: Windows) {
  const { clock, time } = fakeTime();
  const cache = new Cache<string>({
    name: "things",
    ...options,
    negative: { isAnswer: (error) => error instanceof NoSuchThing, ttl: negativeTtl },
    time,
    random: () => 0,
  });
  const loads: Load[] = [];
  const calls: (string | undefined)[] = [];
  const leaving: AbortController[] = [];
  return {
    cache,
    clock,
    loads,
    calls,
    fetch(name: string) {
      const index = calls.push(undefined) - 1;
      const controller = new AbortController();
      leaving.push(controller);
      const load = (call: Call) => {
        const { promise, resolve, reject } = Promise.withResolvers<string>();
        loads.push({ call, resolve, reject });
        return promise;
      };
      cache.fetch(name, load, new CallerCall({ signal: controller.signal })).then(
        ({ value, source }) => (calls[index] = `${value} ${source}`),
        (error: unknown) => (calls[index] = inWords(error)),
      );
    },
    settle(index: number, outcome: Outcome) {
      if (outcome === "value") loads[index]?.resolve(`value ${index}`);
      else if (outcome === "error") loads[index]?.reject(new Error(`error ${index}`));
      else loads[index]?.reject(new NoSuchThing(`no such thing ${index}`));
    },
    leave: (index: number) => leaving[index]?.abort(new Gone()),
  };
}

function inWords(error: unknown): string {
  if (error instanceof Gone) return "gone";
  if (error instanceof DeadlineExceeded) return "too late";
  return error instanceof Error ? error.message : String(error);
}

describe("the cache and its model", () => {
  it("answer alike and load alike through every history of calls, loads and waits", async () => {
    const seen = new Set<string>();
    await fc.assert(
      fc.asyncProperty(windows, fc.array(step, { minLength: 5, maxLength: 40 }), async (options, steps) => {
        const real = realCache(options);
        const model = new CacheModel(options);
        for (const next of steps) {
          if (next.do === "fetch") {
            model.fetch(next.key);
            real.fetch(next.key);
          } else if (next.do === "wait") {
            model.wait(next.milliseconds);
            await real.clock.pass(next.milliseconds);
          } else if (next.do === "leave") {
            const caller = model.calls.length - 1 - next.ago;
            model.leave(caller);
            real.leave(caller);
          } else {
            const load = model.loads.length - 1 - next.ago;
            model.settle(load, next.outcome);
            real.settle(load, next.outcome);
          }
          await settled();
          expect(real.calls).toEqual(model.calls);
          expect(real.loads.length).toBe(model.loads.length);
        }
        // Whoever works on when nobody wants the answer is told to stop.
        expect(real.loads.map(({ call }) => call.cancelled)).toEqual(
          model.loads.map(({ wasCancelled }) => wasCancelled),
        );
        for (const call of model.calls) seen.add(String(call).replace(/\d+/, "n"));
      }),
      { numRuns: 600 },
    );
    // A model that is never put to the test agrees with everything.
    expect([...seen].sort()).toEqual([
      "error n",
      "gone",
      "no such thing n",
      "too late",
      "undefined",
      "value n computed",
      "value n memory",
      "value n stale",
    ]);
  });
});
