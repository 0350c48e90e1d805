import type { Counts } from "../../release/statistics/counts.ts";

/**
 * The rule that Argo Rollouts users write: a measurement per interval, which fails when the share of that interval
 * exceeds the limit, and a rollback once more than `failureLimit` measurements have failed.
 *
 * @see https://argo-rollouts.readthedocs.io/en/stable/features/analysis/
 */
export class FixedWindow {
  readonly #limit: number;
  readonly #callsPerInterval: number;
  readonly #failureLimit: number;
  #calls = 0;
  #bad = 0;
  #failures = 0;

  constructor(limit: number, callsPerInterval: number, failureLimit: number) {
    this.#limit = limit;
    this.#callsPerInterval = callsPerInterval;
    this.#failureLimit = failureLimit;
  }

  get exceeded(): boolean {
    return this.#failures > this.#failureLimit;
  }

  add({ calls, bad }: Counts): void {
    this.#calls += calls;
    this.#bad += bad;
    if (this.#calls < this.#callsPerInterval) return;
    if (this.#bad > this.#limit * this.#calls) this.#failures += 1;
    this.#calls = 0;
    this.#bad = 0;
  }
}
