import type { Time, Timer } from "../resilience/time.ts";

/** Calls back repeatedly, ± 10 % each time, so that pods do not get in step. */
export class Ticker {
  readonly #time: Time;
  readonly #interval: number;
  readonly #callback: () => void;
  #timer: Timer;

  constructor(time: Time, interval: number, callback: () => void) {
    this.#time = time;
    this.#interval = interval;
    this.#callback = callback;
    this.#timer = this.#next();
  }

  stop(): void {
    this.#timer.clear();
  }

  #next(): Timer {
    return this.#time.at(this.#time.now() + this.#interval * (0.9 + 0.2 * Math.random()), () => {
      this.#timer = this.#next();
      this.#callback();
    });
  }
}
