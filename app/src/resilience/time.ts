import { safely } from "./emitter.ts";

/** Where time comes from. Tests bring their own. */
export interface Clock {
  /** Milliseconds since any fixed point. */
  now(): number;
  /** Calls back once, after so many milliseconds, until the returned function is called. */
  wake(callback: () => void, milliseconds: number): () => void;
}

/** A callback that is due. */
export interface Timer {
  /** Does nothing once it has called back. */
  clear(): void;
}

/** The longest delay that `setTimeout` takes, in milliseconds: some 25 days. */
const LONGEST_DELAY = 2 ** 31 - 1;

/** Time that never runs backwards. A clock that jumps back is taken to have stood still since it was last read. */
export class Time {
  readonly #clock: Clock;
  #lastSeen: number;
  #offset = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#lastSeen = clock.now();
  }

  /** Milliseconds. */
  now(): number {
    const seen = this.#clock.now();
    if (seen < this.#lastSeen) this.#offset += this.#lastSeen - seen;
    this.#lastSeen = seen;
    return seen + this.#offset;
  }

  /** Calls back once, not before the given time and never in this turn; never for Infinity. */
  at(time: number, callback: () => void): Timer {
    if (time === Infinity) return NEVER;
    let cancel: () => void;
    const wait = (milliseconds: number) => {
      cancel = this.#clock.wake(due, Math.min(Math.max(0, Math.ceil(milliseconds)), LONGEST_DELAY));
    };
    // Timers count whole milliseconds and may be early by a part of one.
    const due = () => {
      const left = time - this.now();
      if (left > 0) wait(left);
      else safely(callback);
    };
    wait(time - this.now());
    return {
      clear: () => {
        cancel();
      },
    };
  }
}

const NEVER: Timer = { clear: () => undefined };

/** The time of this process, which everything uses that is not given another. */
export const SYSTEM_TIME = new Time({
  now: () => performance.now(),
  wake(callback, milliseconds) {
    const timer = setTimeout(callback, milliseconds);
    return () => {
      clearTimeout(timer);
    };
  },
});
