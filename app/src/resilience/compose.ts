import type { Breaker } from "./breaker.ts";
import type { Bulkhead } from "./bulkhead.ts";
import { PLAIN_CALL, start, type Call, type Work } from "./call.ts";
import type { Deadline } from "./deadline.ts";
import type { Fallback } from "./fallback.ts";
import type { RateLimiter } from "./rate-limiter.ts";
import type { Retry } from "./retry.ts";

/** Policies by their purpose. `compose` decides the order, because most orders are wrong. */
export interface Policies<F> {
  readonly fallback?: Fallback<F>;
  readonly rateLimiter?: RateLimiter;
  /** For the whole call with all its attempts. */
  readonly deadline?: Deadline;
  readonly limit?: Bulkhead;
  readonly retry?: Retry;
  readonly breaker?: Breaker;
  /** For each attempt. */
  readonly timeout?: Deadline;
}

/**
 * Combines policies, from the outside in:
 *
 * 1. `fallback`: answers whatever fails inside.
 * 2. `rateLimiter`: a rejected call costs nothing more; a call counts once, with all its attempts.
 * 3. `deadline`: covers the whole wait of the caller, including the queue and pauses.
 * 4. `limit`: a call keeps its slot through its pauses and attempts, so that retries cannot queue
 *    up behind it.
 * 5. `retry`: outside the breaker, so that each attempt is counted and none is made while it is
 *    open.
 * 6. `breaker`: sees each attempt.
 * 7. `timeout`: inside the breaker, so that a slow attempt is a failure of the dependency.
 *
 * A `LoadBalancer` belongs inside all of them, so that a retry can use another endpoint.
 */
export function compose<F = never>(policies: Policies<F>): Composition<F> {
  const { fallback, rateLimiter, deadline, limit, retry, breaker, timeout } = policies;
  const layers = [rateLimiter, deadline, limit, retry, breaker, timeout].filter((layer) => layer !== undefined);
  return {
    execute: <T>(work: Work<T>, call: Call = PLAIN_CALL): Promise<T | F> => {
      const guarded = layers.reduceRight<Work<T>>((inner, layer) => (outer) => layer.execute(inner, outer), work);
      return fallback === undefined ? start(guarded, call) : fallback.execute(guarded, call);
    },
  };
}

/** Policies around one dependency, used like one policy. */
export interface Composition<F = never> {
  /** @throws errors of the policies and the work that the fallback does not handle */
  execute<T>(work: Work<T>, call?: Call): Promise<T | F>;
}
