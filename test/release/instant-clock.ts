import { setImmediate } from "node:timers/promises";
import type { Clock } from "../../release/ports/clock.ts";

/** A clock on which a sleep takes no time, and moves the time on by its length. */
export function instantClock(): Clock {
  let ms = 0;
  return {
    now: () => ms,
    date: () => new Date(ms),
    async sleep(duration, signal) {
      signal?.throwIfAborted();
      await setImmediate();
      signal?.throwIfAborted();
      ms += duration;
    },
  };
}
