import type { Outcome } from "./breaker-options.ts";

/** Takes in how a call went that was let through in a generation of the breaker's, and the error of one that failed. */
export type Settle = (generation: number, outcome: Outcome, startedAt: number, error?: unknown) => void;

/** The right to make one call. Say how it went exactly once; later words are ignored. */
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
    this.#end("success");
  }

  /** @param error - for the log, where the breaker opens. @default - none */
  fail(error?: unknown): void {
    this.#end("failure", error);
  }

  /** The call ended without telling anything about the dependency, as when its caller went away. */
  cancel(): void {
    this.#end("nothing");
  }

  #end(outcome: Outcome, error?: unknown): void {
    const settle = this.#settle;
    this.#settle = undefined;
    settle?.(this.#generation, outcome, this.#startedAt, error);
  }
}
