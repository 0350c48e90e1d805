import { SYSTEM_TIME, type Time } from "./time.ts";

export interface RetryBudgetOptions {
  /** Repetitions allowed per call. @default 0.1 */
  readonly ratio?: number;

  /** Most repetitions that can be saved up. @default 10 */
  readonly max?: number;

  /**
   * Repetitions a second that are allowed however few calls there are, `most` of them at first: for a dependency that is called so
   * seldom that no storm can come of it, and whose callers could otherwise never try again.
   *
   * @default 0
   */
  readonly perSecond?: number;

  /** @default SYSTEM_TIME */
  readonly time?: Time;
}

/**
 * Bounds how much load repetitions add: at most a share of the calls, at any time and however many calls fail. Without it, three
 * attempts a call triple the load on a dependency just when it cannot carry the usual one.
 *
 * One budget serves everything that repeats calls to one dependency.
 *
 * @see Google, Site Reliability Engineering, ch. 21, "Handling Overload"
 */
export class RetryBudget {
  readonly #ratio: number;
  readonly #max: number;
  readonly #perSecond: number;
  readonly #time: Time;
  #saved: number;
  #refilledAt = 0;
  #spent = 0;
  #refused = 0;

  constructor({ ratio = 0.1, max = 10, perSecond = 0, time = SYSTEM_TIME }: RetryBudgetOptions = {}) {
    this.#ratio = ratio;
    this.#max = max;
    this.#perSecond = perSecond;
    this.#time = time;
    this.#saved = perSecond > 0 ? max : 0;
  }

  /** Repetitions allowed since it was made. */
  get spent(): number {
    return this.#spent;
  }

  /** Repetitions that it had nothing left for. */
  get refused(): number {
    return this.#refused;
  }

  /** A call was made: a part of a repetition is earned. */
  earn(): void {
    this.#saved = Math.min(this.#saved + this.#ratio, this.#max);
  }

  /** Whether one more repetition is allowed. It is spent then. */
  trySpend(): boolean {
    if (this.#perSecond > 0) this.#refill();
    // Ten tenths add up to less than one.
    if (this.#saved < 1 - 1e-9) {
      this.#refused += 1;
      return false;
    }
    this.#saved = Math.max(0, this.#saved - 1);
    this.#spent += 1;
    return true;
  }

  #refill(): void {
    const now = this.#time.now();
    this.#saved = Math.min(this.#saved + ((now - this.#refilledAt) / 1000) * this.#perSecond, this.#max);
    this.#refilledAt = now;
  }
}
