import { Alarm, type Time } from "../resilience/time.ts";

/** Calls back again and again, each time a tenth sooner or later, so that pods do not fall into step. */
export class Ticker extends Alarm {
  readonly #time: Time;
  readonly #interval: number;
  readonly #callback: () => void;

  constructor(time: Time, interval: number, callback: () => void) {
    super();
    this.#time = time;
    this.#interval = interval;
    this.#callback = callback;
    this.#set();
  }

  ring(): void {
    this.#set();
    this.#callback();
  }

  stop(): void {
    this.#time.clear(this);
  }

  #set(): void {
    this.#time.set(this, this.#time.now() + this.#interval * (0.9 + 0.2 * Math.random()));
  }
}
