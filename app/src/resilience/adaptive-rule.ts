import type { OpeningRule } from "./breaker-options.ts";
import { SlidingWindow } from "./sliding-window.ts";

/** Length of the window in milliseconds. */
const WINDOW = 10_000;

/** Calls in the window below which the rule decides nothing. */
const MINIMUM_CALLS = 20;

/** A call is slow if it takes this many times the usual time. */
const SLOW_FACTOR = 3;

/** Standard deviations above the usual share of bad calls that open the breaker. */
const DEVIATIONS = 4;

/** Share of bad calls below which the breaker never opens. */
const MIN_SHARE = 0.2;

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
  readonly #window = new SlidingWindow(WINDOW);
  #usualTime = 0;
  #timed = 0;
  #usualShare = MIN_USUAL_SHARE;

  /** Milliseconds that a call usually takes; undefined until enough calls have been measured. */
  get usualTime(): number | undefined {
    return this.#timed < MINIMUM_CALLS ? undefined : this.#usualTime;
  }

  /** The share of bad calls at which the breaker opens, for this number of calls in the window. */
  threshold(calls: number): number {
    const usual = Math.max(this.#usualShare, MIN_USUAL_SHARE);
    const chance = DEVIATIONS * Math.sqrt((usual * (1 - usual)) / calls);
    // Also a dependency that usually fails half of the time opens the breaker when all calls fail.
    return Math.min(Math.max(MIN_SHARE, usual + chance), 1);
  }

  record(failed: boolean, elapsed: number, now: number): boolean {
    const isBad = failed || elapsed > SLOW_FACTOR * (this.usualTime ?? Infinity);
    if (!failed) this.#learnTime(elapsed, isBad);
    if (this.#window.moveTo(now)) this.#learnShare();
    this.#window.add(isBad, now);
    const { calls, failures } = this.#window;
    return isBad && calls >= MINIMUM_CALLS && failures >= this.threshold(calls) * calls;
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
    if (calls >= MINIMUM_CALLS) this.#usualShare += PART_WEIGHT * (failures / calls - this.#usualShare);
  }
}
