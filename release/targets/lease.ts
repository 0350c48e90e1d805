import { setTimeout as sleep } from "node:timers/promises";
import type { Lease } from "../target.ts";

interface Renewal {
  /** False when somebody else has the lease by now. */
  readonly renew: () => Promise<boolean>;
  readonly giveBack: () => Promise<void>;
}

/**
 * Keeps a lease by renewing it three times in its life. It counts as lost when it was taken over, or when it could not be renewed
 * for its whole life: by then somebody else may rightly hold it.
 */
export function keepRenewed(ttlMs: number, { renew, giveBack }: Renewal): Lease {
  const lost = new AbortController();
  const done = new AbortController();

  const loop = async () => {
    let renewedAt = performance.now();
    while (!done.signal.aborted) {
      await sleep(ttlMs / 3, undefined, { signal: done.signal, ref: false });
      const start = performance.now();
      const renewed = await renew().catch(() => undefined);
      if (renewed === true) renewedAt = start;
      if (renewed === false || performance.now() - renewedAt > ttlMs) {
        lost.abort(new Error("the lease was lost"));
        return;
      }
    }
  };
  // Ends by the signal alone.
  void loop().catch(() => undefined);

  return {
    lost: lost.signal,
    async release() {
      done.abort();
      // It lapses by itself when this does not arrive.
      await giveBack().catch(() => undefined);
    },
  };
}
