import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { CallerCall } from "../../../app/src/resilience/call.ts";
import { RateLimiter, type RateLimiterOptions } from "../../../app/src/resilience/rate-limiter.ts";
import { Rejected } from "../../../app/src/resilience/rejection.ts";
import { fakeTime } from "./fake-clock.ts";

function clocked(options: Partial<RateLimiterOptions> = {}) {
  const { clock, time } = fakeTime();
  return { clock, limiter: new RateLimiter({ name: "calls", rate: 10, burst: 3, time, ...options }) };
}

describe("a rate of ten calls a second in bursts of three", () => {
  it("admits three at once, then says in how many milliseconds the next may come", () => {
    const { clock, limiter } = clocked();
    const burst = [1, 2, 3].map(() => limiter.tryAcquire("alice").admitted);
    expect(burst).toEqual([true, true, true]);
    clock.advance(30);
    expect(limiter.tryAcquire("alice")).toEqual({ admitted: false, reason: "rate", policy: "calls", retryAfterMs: 70 });
    clock.advance(70);

    expect(limiter.tryAcquire("alice").admitted).toBe(true);
    expect(limiter.tryAcquire("alice").admitted).toBe(false);
  });

  it("counts each client apart, and calls without a client together", () => {
    const { limiter } = clocked({ burst: 1 });

    expect(["alice", "bob", undefined, undefined].map((client) => limiter.tryAcquire(client).admitted)).toEqual([
      true,
      true,
      true,
      false,
    ]);
  });

  it("goes by the client of the call it stands around", async () => {
    const { limiter } = clocked({ burst: 1 });
    const ask = (client: string) => limiter.execute(() => Promise.resolve("answer"), new CallerCall({ client }));
    expect(await ask("alice")).toBe("answer");
    expect(await ask("bob")).toBe("answer");

    await expect(ask("alice")).rejects.toBeInstanceOf(Rejected);
    await expect(ask("alice")).rejects.toMatchObject({ retryAfterMs: 100 });
  });

  it("admits when it said it would, and never more than burst and rate allow, whatever the times", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 400 }), { maxLength: 60, size: "max" }), (pauses) => {
        const { clock, limiter } = clocked();
        const admittedAt: number[] = [];
        let now = 0;
        for (const pause of pauses) {
          clock.advance(pause);
          now += pause;
          const answer = limiter.tryAcquire("alice");
          if (answer.admitted) admittedAt.push(now);
          else {
            clock.advance(answer.retryAfterMs);
            now += answer.retryAfterMs;
            expect(limiter.tryAcquire("alice").admitted).toBe(true);
            admittedAt.push(now);
          }
        }
        admittedAt.forEach((from, index) => {
          admittedAt.slice(index).forEach((to, more) => {
            expect(more + 1).toBeLessThanOrEqual(3 + (to - from) / 100 + 1e-6);
          });
        });
      }),
    );
  });

  it("gains nothing from a clock that jumps back, and no more than a burst from one that jumps ahead", () => {
    const { clock, limiter } = clocked();
    for (let call = 0; call < 3; call += 1) limiter.tryAcquire("alice");
    clock.jump(-3_600_000);
    expect(limiter.tryAcquire("alice")).toMatchObject({ retryAfterMs: 100 });
    clock.jump(3_600_000);
    const burst = [1, 2, 3, 4].map(() => limiter.tryAcquire("alice").admitted);

    expect(burst).toEqual([true, true, true, false]);
  });
});

describe("more clients than there is room for", () => {
  it("share one limit while the others are busy, so that nobody starts anew by changing names", () => {
    const { limiter } = clocked({ burst: 1, maxClients: 2 });
    const answers = ["alice", "bob", "mallory 1", "mallory 2", "alice"].map(
      (name) => limiter.tryAcquire(name).admitted,
    );

    expect(answers).toEqual([true, true, true, false, false]);
    expect(limiter.clients).toBeLessThanOrEqual(3);
  });

  it("take the place of those who have been idle", () => {
    const { clock, limiter } = clocked({ burst: 1, maxClients: 100 });
    for (let client = 0; client < 100; client += 1) limiter.tryAcquire(`early ${client}`);
    clock.advance(100);
    const late = Array.from({ length: 100 }, (_, client) => limiter.tryAcquire(`late ${client}`).admitted);

    expect(late.every(Boolean)).toBe(true);
    expect(limiter.clients).toBeLessThanOrEqual(100);
  });

  it("never grow its memory, even by a million made-up names", () => {
    const { limiter } = clocked({ maxClients: 1000 });
    for (let name = 0; name < 1_000_000; name += 1) limiter.tryAcquire(String(name));

    expect(limiter.clients).toBeLessThanOrEqual(1001);
  });
});

describe("a rate that nothing could keep", () => {
  it.each([0, -1, NaN])("is refused: %s", (rate) => {
    expect(() => new RateLimiter({ name: "calls", rate })).toThrow(`'rate' (${rate}) of 'calls' must be above 0`);
  });

  it("is refused with bursts that admit no call at all", () => {
    expect(() => new RateLimiter({ name: "calls", rate: 10, burst: 0.5 })).toThrow("'burst' (0.5) of 'calls'");
  });
});

describe("a rate that is counted elsewhere too", () => {
  it("tells of each call that it lets through, and of none that it turns away", () => {
    const { limiter } = clocked({ burst: 1 });
    const told: unknown[] = [];
    limiter.onAdmission((client) => told.push(client));
    for (const client of ["alice", "alice", undefined]) limiter.tryAcquire(client);

    expect(told).toEqual(["alice", undefined]);
  });

  it("turns a client away whose bucket others have emptied, until it is full enough again", () => {
    const { clock, limiter } = clocked();
    limiter.drain("alice", 400);

    expect(limiter.tryAcquire("alice")).toMatchObject({ admitted: false, retryAfterMs: 200 });
    clock.advance(200);
    expect(limiter.tryAcquire("alice").admitted).toBe(true);
  });

  it("is never made fuller by what it learns, nor takes in what makes no sense", () => {
    const { limiter } = clocked({ burst: 1 });
    limiter.tryAcquire("alice");
    for (const untilFull of [1, 0, -5, NaN]) limiter.drain("alice", untilFull);

    expect(limiter.tryAcquire("alice")).toMatchObject({ admitted: false, retryAfterMs: 100 });
    limiter.drain("bob", NaN);
    expect(limiter.clients).toBe(1);
  });
});
