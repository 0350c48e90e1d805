import { describe, expect, it, jest } from "@jest/globals";
import { CallerCall, type Call } from "../../../app/src/resilience/call.ts";
import { Deadline, DeadlineExceeded } from "../../../app/src/resilience/deadline.ts";
import { fakeTime } from "./fake-clock.ts";

const forever = () => new Promise<never>(() => undefined);

function outcome(promise: Promise<unknown>): Promise<unknown> {
  return promise.catch((error: unknown) => error);
}

describe("a deadline of 100 ms", () => {
  it("passes on what the work returns and throws, and leaves no alarm behind", async () => {
    const { clock, time } = fakeTime();
    const deadline = new Deadline({ timeout: 100, time });

    expect(await deadline.execute(() => Promise.resolve(42))).toBe(42);
    await expect(deadline.execute(() => Promise.reject(new RangeError("down")))).rejects.toThrow("down");
    await expect(
      deadline.execute(() => {
        throw new RangeError("at once");
      }),
    ).rejects.toThrow("at once");
    expect(clock.timers).toBe(0);
  });

  it("ends what hangs, even if it ignores its signal", async () => {
    const { clock, time } = fakeTime();
    let signal: AbortSignal | undefined;
    const ended = outcome(
      new Deadline({ timeout: 100, time }).execute((call) => {
        signal = call.signal;
        return forever();
      }),
    );
    await clock.pass(110);

    expect(await ended).toBeInstanceOf(DeadlineExceeded);
    expect(signal?.aborted).toBe(true);
    expect(signal?.reason).toBeInstanceOf(DeadlineExceeded);
  });

  it("cancels the work when the caller goes away, with the caller's reason", async () => {
    const { clock, time } = fakeTime();
    const caller = new AbortController();
    let seen: Call | undefined;
    const ended = outcome(
      new Deadline({ timeout: 100, time }).execute(
        (call) => {
          seen = call;
          return forever();
        },
        new CallerCall({ signal: caller.signal }),
      ),
    );
    caller.abort(new Error("gone"));

    expect(await ended).toEqual(new Error("gone"));
    // Read only now: a signal that is made late is as aborted as one made early.
    expect(seen?.signal.aborted).toBe(true);
    expect(clock.timers).toBe(0);
  });

  it("cancels everything inside, even if something that is told of it throws", async () => {
    const { clock, time } = fakeTime();
    const warn = jest.spyOn(process, "emitWarning").mockImplementation(() => undefined);
    const heard: string[] = [];
    let signal: AbortSignal | undefined;
    const ended = outcome(
      new Deadline({ timeout: 100, time }).execute((call) => {
        signal = call.signal;
        call.onCancel(() => {
          throw new Error("a listener's own mistake");
        });
        call.onCancel(() => heard.push("the one after it"));
        return forever();
      }),
    );
    await clock.pass(110);
    const warnings = warn.mock.calls.length;
    warn.mockRestore();

    expect(await ended).toBeInstanceOf(DeadlineExceeded);
    expect(heard).toEqual(["the one after it"]);
    expect(signal?.aborted).toBe(true);
    expect(warnings).toBe(1);
  });

  it("does not start work for a caller who has gone already", async () => {
    const { time } = fakeTime();
    let started = false;
    const call = new CallerCall({ signal: AbortSignal.abort(new Error("gone")) });
    const ended = new Deadline({ timeout: 100, time }).execute(() => {
      started = true;
      return forever();
    }, call);

    await expect(ended).rejects.toThrow("gone");
    expect(started).toBe(false);
  });

  it("is brought forward by a nearer one around it, and never put off", async () => {
    const { clock, time } = fakeTime();
    const start = time.now();
    const deadlines: number[] = [];
    const look = (call: Call) => {
      deadlines.push(call.deadline - start);
      return forever();
    };
    const inner = new Deadline({ timeout: 100, time });
    const near = new Deadline({ timeout: 40, time });
    const ends = [
      near.execute((call) => inner.execute(look, call)),
      inner.execute((call) => near.execute(look, call)),
    ].map(outcome);
    await clock.pass(50);

    expect(deadlines).toEqual([40, 40]);
    for (const end of await Promise.all(ends)) expect(end).toBeInstanceOf(DeadlineExceeded);
    expect(clock.timers).toBe(0);
  });

  it("tells who makes the call, and whether it may be repeated, to what is inside", async () => {
    const { time } = fakeTime();
    const call = new CallerCall({ client: "alice", repeatable: true });
    const seen = await new Deadline({ timeout: 100, time }).execute(
      ({ client, repeatable }) => Promise.resolve({ client, repeatable }),
      call,
    );

    expect(seen).toEqual({ client: "alice", repeatable: true });
  });

  it("leaves no listener on a caller's signal that outlives its calls", async () => {
    const { time } = fakeTime();
    const { signal } = new AbortController();
    let listeners = 0;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = (...args: Parameters<typeof add>) => {
      listeners += 1;
      add(...args);
    };
    signal.removeEventListener = (...args: Parameters<typeof remove>) => {
      listeners -= 1;
      remove(...args);
    };
    const deadline = new Deadline({ timeout: 100, time });
    for (let call = 0; call < 10; call += 1)
      await deadline.execute(() => Promise.resolve(), new CallerCall({ signal }));

    expect(listeners).toBe(0);
  });
});
