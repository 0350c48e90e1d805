import { describe, expect, it } from "@jest/globals";
import type { Clock } from "../../../release/ports/clock.ts";

interface OpenedClock {
  readonly clock: Clock;
  /** Lets time pass. @default it passes by itself */
  readonly pass?: (ms: number) => Promise<void>;
}

/** What every implementation of `Clock` promises. */
export function clockContract(name: string, open: () => OpenedClock): void {
  describe(name, () => {
    it("has moved on by a sleep's length when the sleep ends, and never goes backwards", async () => {
      const { clock, pass } = open();
      const [before, date] = [clock.now(), clock.date().getTime()];
      await Promise.all([clock.sleep(20), pass?.(20)]);

      // A timer of Node may end up to a millisecond early.
      expect(clock.now() - before).toBeGreaterThanOrEqual(19);
      expect(clock.date().getTime()).toBeGreaterThanOrEqual(date);
    });

    it("wakes sleepers in the order of their times", async () => {
      const { clock, pass } = open();
      const woken: number[] = [];
      const sleeps = [60, 20, 40].map(async (ms) => {
        await clock.sleep(ms);
        woken.push(ms);
      });
      await Promise.all([...sleeps, pass?.(60)]);

      expect(woken).toEqual([20, 40, 60]);
    });

    it("ends a sleep with the signal's reason, before it begins and while it lasts", async () => {
      const { clock } = open();
      const abort = new AbortController();
      const sleeping = clock.sleep(60_000, abort.signal);
      abort.abort(new Error("interrupted"));

      await expect(sleeping).rejects.toThrow("interrupted");
      await expect(clock.sleep(60_000, abort.signal)).rejects.toThrow("interrupted");
    });
  });
}
