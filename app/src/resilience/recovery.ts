import type { BreakerOptions } from "./breaker-options.ts";

type RecoveryOptions = Pick<
  BreakerOptions,
  "recoveryTimeout" | "recoveryGrowth" | "recoveryJitter" | "maxRecoveryTimeout" | "random"
>;

/**
 * Milliseconds that a breaker stays open: at first as configured, then longer and with more jitter
 * each time that probes fail.
 *
 * @param openings - since it was last closed, before this one
 */
export function recoveryAfter(openings: number, options: RecoveryOptions): number {
  const { recoveryTimeout, recoveryGrowth = 2, recoveryJitter = 0.2, random = Math.random } = options;
  if (openings === 0) return recoveryTimeout;
  const longest = options.maxRecoveryTimeout ?? 2 * recoveryTimeout;
  const grown = Math.min(recoveryTimeout * recoveryGrowth ** openings, longest);
  return grown * (1 - recoveryJitter * random());
}
