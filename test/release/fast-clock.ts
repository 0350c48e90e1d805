import { setTimeout as sleep } from "node:timers/promises";
import type { Clock } from "../../release/ports/clock.ts";

/** A clock that runs faster than the real one, for tests with real connections. */
export function fastClock(factor: number): Clock {
  return {
    now: () => performance.now() * factor,
    date: () => new Date(),
    async sleep(ms, signal) {
      signal?.throwIfAborted();
      await sleep(ms / factor, undefined, { ...(signal && { signal }) }).catch((error: unknown) => {
        signal?.throwIfAborted();
        throw error;
      });
    },
  };
}
