import type { Time } from "../resilience/time.ts";

const UNKNOWN = -1;

/**
 * The time at which this turn of the event loop first asked. To read a clock takes as long as to find a value in memory, and what was fresh
 * when a turn began may be taken for fresh until it ends.
 */
export class TurnTime {
  readonly #time: Time;
  #now = UNKNOWN;
  readonly #forget = (): void => {
    this.#now = UNKNOWN;
  };

  constructor(time: Time) {
    this.#time = time;
  }

  /** Whole milliseconds, which V8 keeps without an object for each. */
  now(): number {
    return this.#now === UNKNOWN ? this.#read() : this.#now;
  }

  #read(): number {
    this.#now = Math.trunc(this.#time.now());
    setImmediate(this.#forget);
    return this.#now;
  }
}
