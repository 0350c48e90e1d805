import type { Outcome } from "./breaker-options.ts";

/** Records the outcome and the error of a call that was admitted in this generation. */
export type Settle = (generation: number, outcome: Outcome, startedAt: number, error?: unknown) => void;

/** Permission for one call. Report the outcome once; later reports have no effect. */
export class Permit {
  readonly admitted = true;
  #settle: Settle | undefined;
  readonly #generation: number;
  readonly #startedAt: number;

  constructor(settle: Settle, generation: number, startedAt: number) {
    this.#settle = settle;
    this.#generation = generation;
    this.#startedAt = startedAt;
  }

  succeed(): void {
    this.settle("success");
  }

  /** @param error - for the log when the breaker opens */
  fail(error?: unknown): void {
    this.settle("failure", error);
  }

  /** The call says nothing about the dependency, as when its caller went away. */
  cancel(): void {
    this.settle("nothing");
  }

  settle(outcome: Outcome, error?: unknown): void {
    const settle = this.#settle;
    this.#settle = undefined;
    settle?.(this.#generation, outcome, this.#startedAt, error);
  }
}
