import { setImmediate } from "node:timers/promises";
import type { Clock } from "../../release/ports/clock.ts";

/** A clock on which time passes as soon as everybody sleeps: it moves on to the end of the sleep that ends first. */
export function instantClock(): Clock {
  let ms = 0;
  const sleepers = new Set<{ readonly until: number }>();
  return {
    now: () => ms,
    date: () => new Date(ms),
    async sleep(duration, signal) {
      const sleeper = { until: ms + duration };
      sleepers.add(sleeper);
      try {
        do {
          signal?.throwIfAborted();
          await setImmediate();
          signal?.throwIfAborted();
        } while ([...sleepers].some(({ until }) => until < sleeper.until));
        ms = Math.max(ms, sleeper.until);
      } finally {
        sleepers.delete(sleeper);
      }
    },
  };
}
