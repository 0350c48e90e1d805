import type { OpeningRule } from "./breaker-options.ts";
import { SlidingWindow } from "./sliding-window.ts";

export interface FailureRateOptions {
  /** Share of failed calls, 0 to 1, at which the breaker opens. @default 0.5 */
  readonly threshold?: number;

  /** Length of the window in milliseconds. @default 10 s */
  readonly window?: number;

  /** Calls in the window below which the rule decides nothing. @default 20 */
  readonly minimumCalls?: number;
}

/**
 * Opens a breaker when too large a share of recent calls failed. A dependency that fails half of
 * the time has few consecutive failures.
 */
export class FailureRate implements OpeningRule {
  readonly #threshold: number;
  readonly #minimumCalls: number;
  readonly #window: SlidingWindow;

  constructor({ threshold = 0.5, window = 10_000, minimumCalls = 20 }: FailureRateOptions = {}) {
    this.#threshold = threshold;
    this.#minimumCalls = minimumCalls;
    this.#window = new SlidingWindow(window);
  }

  record(failed: boolean, _elapsed: number, now: number): boolean {
    this.#window.add(failed, now);
    const { calls, failures } = this.#window;
    return failed && calls >= this.#minimumCalls && failures / calls >= this.#threshold;
  }

  reset(): void {
    this.#window.clear();
  }
}
