import { Breaker, type BreakerOptions } from "../../../app/src/resilience/breaker.ts";
import type { Permit } from "../../../app/src/resilience/permit.ts";
import type { Rejection } from "../../../app/src/resilience/rejection.ts";
import { fakeTime } from "./fake-clock.ts";

/** A breaker on a clock that the test moves: it opens at three failures, for a second. */
export function clocked(options: Partial<BreakerOptions> = {}) {
  const { clock, time } = fakeTime();
  const breaker = new Breaker({
    name: "api",
    failureThreshold: 3,
    recoveryTimeout: 1000,
    successThreshold: 2,
    timeout: 50,
    random: () => 0.5,
    time,
    ...options,
  });
  return { breaker, clock, time };
}

/** The permit that must have been given. */
export function admitted(answer: Permit | Rejection): Permit {
  if (!answer.admitted) throw new Error(`rejected, retry after ${answer.retryAfterMs} ms`);
  return answer;
}

export const failure = () => Promise.reject(new Error("down"));
export const forever = () => new Promise<never>(() => undefined);

/** Calls that fail, so many. */
export function fail(breaker: Breaker, times: number): void {
  for (let time = 0; time < times; time += 1) admitted(breaker.tryAcquire()).fail();
}
