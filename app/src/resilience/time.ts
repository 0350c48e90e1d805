import { safely } from "./emitter.ts";

/** Where time comes from. Tests bring their own. */
export interface Clock {
  /** Milliseconds since any fixed point. */
  now(): number;
  /** Calls back once, after so many milliseconds, unless the returned one is closed before. */
  wake(callback: () => void, milliseconds: number): { close(): unknown };
}

/** A callback that is due. */
export interface Timer {
  /** Does nothing once it has called back. */
  clear(): void;
}

/** The longest delay that `setTimeout` takes, in milliseconds: some 25 days. */
const LONGEST_DELAY = 2 ** 31 - 1;

/** Time that never runs backwards: while the clock is behind its last reading, it stands still. */
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
    return time === Infinity ? NEVER : new Alarm(this, this.#clock, time, callback);
  }
}

/** One object and one timer of Node, since most calls have a deadline. */
class Alarm implements Timer {
  readonly #time: Time;
  readonly #clock: Clock;
  readonly #at: number;
  readonly #callback: () => void;
  #wakeup: ReturnType<Clock["wake"]>;

  constructor(time: Time, clock: Clock, at: number, callback: () => void) {
    this.#time = time;
    this.#clock = clock;
    this.#at = at;
    this.#callback = callback;
    this.#wakeup = this.#wait();
  }

  clear(): void {
    this.#wakeup.close();
  }

  #wait(): ReturnType<Clock["wake"]> {
    const milliseconds = Math.max(0, Math.ceil(this.#at - this.#time.now()));
    return this.#clock.wake(this.#due, Math.min(milliseconds, LONGEST_DELAY));
  }

  // Timers count whole milliseconds and may be early by a part of one.
  readonly #due = (): void => {
    if (this.#time.now() < this.#at) this.#wakeup = this.#wait();
    else safely(this.#callback);
  };
}

const NEVER: Timer = { clear: () => undefined };

/** The time of this process, which everything uses that is not given another. */
export const SYSTEM_TIME = new Time({
  now: () => performance.now(),
  wake: (callback, milliseconds) => setTimeout(callback, milliseconds),
});
