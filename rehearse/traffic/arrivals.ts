import { setTimeout as sleep } from "node:timers/promises";

export interface ArrivalOptions {
  readonly perSecond: number;
  readonly signal: AbortSignal;
  /** @param at when the call was to arrive, on the clock of `performance.now()` */
  readonly onArrival: (at: number) => void;
  /** Uniform from 0 to 1. @default Math.random */
  readonly random?: () => number;
}

/**
 * Calls that arrive at a fixed rate, whether or not earlier calls have been answered (open loop).
 *
 * Each period has one arrival, at a random time in it. Callers who wait for an answer before they call again would call
 * a slow version less often, and so hide how long its users wait. Arrivals that this process was too busy for come late,
 * all at once, with the time at which they were to come.
 *
 * @returns when the signal aborts
 * @see Schroeder, Wierman, Harchol-Balter, "Open Versus Closed: A Cautionary Tale", NSDI 2006
 */
export async function arrive({ perSecond, signal, onArrival, random = Math.random }: ArrivalOptions): Promise<void> {
  const period = 1000 / perSecond;
  const start = performance.now();
  const stopped = () => signal.aborted;
  for (let slot = 0; !stopped(); slot++) {
    const at = start + (slot + random()) * period;
    const early = at - performance.now();
    if (early > 0) await sleep(early, undefined, { signal }).catch(() => undefined);
    if (!stopped()) onArrival(at);
  }
}
