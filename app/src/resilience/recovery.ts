import type { BreakerOptions } from "./breaker-options.ts";

/** Factor of the recovery time after failed probes, so that a recovery is found within that time. */
const GROWTH = 2;

/** Random share of a grown time, so that pods do not probe at the same time. */
const JITTER = 0.2;

/**
 * Milliseconds that a breaker stays open: at first as configured, then longer and with jitter.
 *
 * @param openings - since it was last closed, before this one
 */
export function recoveryAfter(
  openings: number,
  { recoveryTimeout, random = Math.random }: Pick<BreakerOptions, "recoveryTimeout" | "random">,
): number {
  return openings === 0 ? recoveryTimeout : recoveryTimeout * GROWTH * (1 - JITTER * random());
}
