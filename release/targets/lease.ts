import { setTimeout as sleep } from "node:timers/promises";
import type { Lease } from "../target.ts";

interface Renewal {
  /** False when somebody else has the lease by now. */
  readonly renew: () => Promise<boolean>;
  readonly giveBack: () => Promise<void>;
}

/**
 * Keeps a lease by renewing it three times in its life, and trying harder once that fails. It counts as lost when it was taken over, and at the moment that it has
 * not been renewed for its whole life, however long an answer takes: by then somebody else may rightly hold it.
 */
export function keepRenewed(ttlMs: number, { renew, giveBack }: Renewal): Lease {
  const lost = new AbortController();
  const done = new AbortController();
  const lose = () => {
    done.abort();
    lost.abort(new Error("the lease was lost"));
  };
  let lapse = setTimeout(lose, ttlMs).unref();

  const loop = async () => {
    let pauseMs = ttlMs / 3;
    for (;;) {
      await sleep(pauseMs, undefined, { signal: done.signal, ref: false });
      const asked = performance.now();
      const renewed = await renew().catch(() => undefined);
      if (done.signal.aborted) return;
      if (renewed === false) lose();
      pauseMs = renewed === true ? ttlMs / 3 : ttlMs / 20;
      if (renewed !== true) continue;
      // It holds from when it was asked for, since the answer may have taken its time.
      clearTimeout(lapse);
      lapse = setTimeout(lose, ttlMs - (performance.now() - asked)).unref();
    }
  };
  // Ends by the signal alone.
  void loop().catch(() => undefined);

  return {
    lost: lost.signal,
    async release() {
      done.abort();
      clearTimeout(lapse);
      // It lapses by itself when this does not arrive.
      await giveBack().catch(() => undefined);
    },
  };
}
