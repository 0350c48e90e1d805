import type { OpeningRule } from "./breaker-options.ts";
import { SlidingWindow } from "./sliding-window.ts";

export interface AdaptiveRuleOptions {
  /** Length of the window in milliseconds. @default 10 s */
  readonly window?: number;

  /** Calls in the window below which the rule decides nothing. @default 20 */
  readonly minimumCalls?: number;

  /** A call is slow if it takes this many times the usual time. @default 3 */
  readonly slowFactor?: number;

  /** Standard deviations above the usual share of bad calls that open the breaker. @default 4 */
  readonly deviations?: number;

  /** Share of bad calls below which the breaker never opens. @default 0.2 */
  readonly minShare?: number;
}

/** Weight of one normal call in the usual time. */
const CALL_WEIGHT = 0.02;

/** Weight of one slow call: a dependency that stays slower becomes usual in the end. */
const SLOW_WEIGHT = 0.002;

/** Weight of a tenth of a window in the usual share of bad calls. */
const PART_WEIGHT = 0.05;

/** Lower bound of the usual share of bad calls, for a dependency that has never failed. */
const MIN_USUAL_SHARE = 0.01;

/**
 * Opens a breaker when a dependency does unusually badly: more calls fail, or take several times
 * the usual time, than chance explains. The rule learns the usual values from the traffic. The
 * threshold depends on the number of calls, as in a control chart: if one call in ten is usually
 * bad, 7 of 20 may be chance, but 300 of 1,000 are not.
 *
 * @see Shewhart's p-chart, https://www.itl.nist.gov/div898/handbook/pmc/section3/pmc332.htm
 */
export class AdaptiveRule implements OpeningRule {
  readonly #minimumCalls: number;
  readonly #slowFactor: number;
  readonly #deviations: number;
  readonly #minShare: number;
  readonly #window: SlidingWindow;
  #usualTime = 0;
  #timed = 0;
  #usualShare = MIN_USUAL_SHARE;

  constructor({
    window = 10_000,
    minimumCalls = 20,
    slowFactor = 3,
    deviations = 4,
    minShare = 0.2,
  }: AdaptiveRuleOptions = {}) {
    this.#window = new SlidingWindow(window);
    this.#minimumCalls = minimumCalls;
    this.#slowFactor = slowFactor;
    this.#deviations = deviations;
    this.#minShare = minShare;
  }

  /** Milliseconds that a call usually takes; undefined until enough calls have been measured. */
  get usualTime(): number | undefined {
    return this.#timed < this.#minimumCalls ? undefined : this.#usualTime;
  }

  /** The share of bad calls at which the breaker opens, for this number of calls in the window. */
  threshold(calls: number): number {
    const usual = Math.max(this.#usualShare, MIN_USUAL_SHARE);
    const chance = this.#deviations * Math.sqrt((usual * (1 - usual)) / calls);
    // Also a dependency that usually fails half of the time opens the breaker when all calls fail.
    return Math.min(Math.max(this.#minShare, usual + chance), 1);
  }

  record(failed: boolean, elapsed: number, now: number): boolean {
    const isBad = failed || elapsed > this.#slowFactor * (this.usualTime ?? Infinity);
    if (!failed) this.#learnTime(elapsed, isBad);
    if (this.#window.moveTo(now)) this.#learnShare();
    this.#window.add(isBad, now);
    const { calls, failures } = this.#window;
    return isBad && calls >= this.#minimumCalls && failures >= this.threshold(calls) * calls;
  }

  /** Keeps the usual values: they were learned while the dependency was healthy. */
  reset(): void {
    this.#window.clear();
  }

  #learnTime(elapsed: number, isBad: boolean): void {
    this.#timed += 1;
    // The first calls are averaged, so that the weight of a slow first call decreases.
    const weight = isBad ? SLOW_WEIGHT : Math.max(CALL_WEIGHT, 1 / this.#timed);
    this.#usualTime += weight * (elapsed - this.#usualTime);
  }

  #learnShare(): void {
    const { calls, failures } = this.#window;
    if (calls >= this.#minimumCalls) this.#usualShare += PART_WEIGHT * (failures / calls - this.#usualShare);
  }
}
