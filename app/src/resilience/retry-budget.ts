export interface RetryBudgetOptions {
  /** Repetitions allowed per call. @default 0.1 */
  readonly ratio?: number;

  /** Most repetitions that can be saved up. @default 10 */
  readonly most?: number;
}

/**
 * Bounds how much load repetitions add: at most a share of the calls, at any time and however many calls fail. Without it, three
 * attempts a call triple the load on a dependency just when it cannot carry the usual one.
 *
 * One budget serves everything that repeats calls to one dependency, retries and hedges alike.
 *
 * @see Google, Site Reliability Engineering, ch. 21, "Handling Overload"
 */
export class RetryBudget {
  readonly #ratio: number;
  readonly #most: number;
  #saved = 0;

  constructor({ ratio = 0.1, most = 10 }: RetryBudgetOptions = {}) {
    this.#ratio = ratio;
    this.#most = most;
  }

  /** A call was made: a part of a repetition is earned. */
  earn(): void {
    this.#saved = Math.min(this.#saved + this.#ratio, this.#most);
  }

  /** Whether one more repetition is allowed. It is spent then. */
  trySpend(): boolean {
    // Ten tenths add up to less than one.
    if (this.#saved < 1 - 1e-9) return false;
    this.#saved = Math.max(0, this.#saved - 1);
    return true;
  }
}
