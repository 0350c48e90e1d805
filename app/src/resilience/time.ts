import { safely } from "./emitter.ts";

/** The source of time. Tests use their own. */
export interface Clock {
  /** Milliseconds since any fixed point. */
  now(): number;
  /** Calls back once after this many milliseconds, unless it is closed before. */
  wake(callback: () => void, milliseconds: number): { close(): unknown };
}

export interface Timer {
  /** No effect after the callback. */
  clear(): void;
}

/** The longest delay of `setTimeout`, in milliseconds: about 25 days. */
const LONGEST_DELAY = 2 ** 31 - 1;

/** Time that never runs backwards: it stands still while the clock is behind its last reading. */
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

  /** Calls back once, not before this time and never in this turn; never for Infinity. */
  at(time: number, callback: () => void): Timer {
    return time === Infinity ? NEVER : new Alarm(this, this.#clock, time, callback);
  }
}

/** One object and one Node timer for each, because most calls have a deadline. */
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

  // Node's timers count whole milliseconds and may be early by a fraction.
  readonly #due = (): void => {
    if (this.#time.now() < this.#at) this.#wakeup = this.#wait();
    else safely(this.#callback);
  };
}

const NEVER: Timer = { clear: () => undefined };

/** The time of this process, and the default everywhere. */
export const SYSTEM_TIME = new Time({
  now: () => performance.now(),
  wake: (callback, milliseconds) => setTimeout(callback, milliseconds),
});
