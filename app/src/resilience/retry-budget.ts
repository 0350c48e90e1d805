import { SYSTEM_TIME, type Time } from "./time.ts";

export interface RetryBudgetOptions {
  /** Retries allowed for each call. @default 0.1 */
  readonly ratio?: number;

  /** Largest number of saved retries. @default 10 */
  readonly max?: number;

  /**
   * Retries per second that are allowed in addition, `max` of them at first. For a dependency with
   * so few calls that retries cannot overload it, and whose callers could otherwise never retry.
   *
   * @default 0
   */
  readonly perSecond?: number;

  readonly time?: Time;
}

/**
 * Limits the load that retries add to a share of the calls. Without it, three attempts for each
 * call triple the load on a dependency that is already overloaded.
 *
 * Everything that retries calls to one dependency shares one budget.
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

  /** Retries allowed since it was made. */
  get spent(): number {
    return this.#spent;
  }

  /** Retries rejected since it was made. */
  get refused(): number {
    return this.#refused;
  }

  /** A call was made: it earns a part of a retry. */
  earn(): void {
    this.#saved = Math.min(this.#saved + this.#ratio, this.#max);
  }

  /** Takes one retry from the budget, if there is one. */
  trySpend(): boolean {
    if (this.#perSecond > 0) this.#refill();
    // Ten times 0.1 is less than 1 in floating point.
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
