import type { Clock } from "../../ports/clock.ts";

export interface RenewalOptions {
  readonly clock: Clock;
  /** How long the lease holds without being renewed. */
  readonly ttlMs: number;
  /** Renews the lease. False if another holder has it; an error if no answer came. */
  readonly renew: (signal: AbortSignal) => Promise<boolean>;
  /** Another holder has it. Not called again. */
  readonly lost: () => void;
}

/**
 * Renews a lease three times in its life, and more often while no answer comes.
 *
 * Only another holder ends it. A renewal that could not be sent says nothing about who has the lease, and every write is
 * fenced: a holder that lost the lease during an outage changes nothing.
 *
 * @returns a function that ends the renewals
 */
export function keepRenewed({ clock, ttlMs, renew, lost }: RenewalOptions): () => void {
  const over = new AbortController();
  const loop = async () => {
    let pauseMs = ttlMs / 3;
    for (;;) {
      await clock.sleep(pauseMs, over.signal);
      const renewed = await renew(over.signal).catch(() => undefined);
      over.signal.throwIfAborted();
      if (renewed === false) {
        lost();
        return;
      }
      pauseMs = renewed === true ? ttlMs / 3 : ttlMs / 10;
    }
  };
  // Its only error is the end.
  loop().catch(() => undefined);
  return () => {
    over.abort();
  };
}
