import type { OpeningRule } from "./breaker-options.ts";
import { SlidingWindow } from "./sliding-window.ts";

export interface AdaptiveRuleOptions {
  /** Milliseconds that count, up to now. @default 10 s */
  readonly window?: number;

  /** Calls without which nothing is known, neither of the present nor of what is usual. @default 20 */
  readonly minimumCalls?: number;

  /** How many times the usual time makes a call a bad one. @default 3 */
  readonly slowFactor?: number;

  /** How many standard deviations from the usual share of bad calls are too many. @default 4 */
  readonly deviations?: number;

  /** The share of bad calls under which it never opens, however unusual. @default 0.2 */
  readonly minShare?: number;
}

/** Of the usual time, how much one good call changes. */
const CALL_WEIGHT = 0.02;

/** And a slow one: what has become slower for good is usual in the end. */
const SLOW_WEIGHT = 0.002;

/** Of the usual share of bad calls, how much a tenth of a window changes. */
const PART_WEIGHT = 0.05;

/** However good a dependency has been, this share of bad calls surprises nobody. */
const MIN_USUAL_SHARE = 0.01;

/**
 * Opens a breaker when a dependency does unusually badly: more calls fail or take several times as long as they used to than chance
 * explains. What is usual is learnt while it lasts, and thresholds follow the traffic as in a control chart: where one call in ten
 * is bad, seven of twenty may be chance; three hundred of a thousand are not.
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

  /** Milliseconds that a call usually takes; nothing until enough have been seen. */
  get usualTime(): number | undefined {
    return this.#timed < this.#minimumCalls ? undefined : this.#usualTime;
  }

  /** The share of bad calls at which it opens, for so many calls in the window. */
  threshold(calls: number): number {
    const usual = Math.max(this.#usualShare, MIN_USUAL_SHARE);
    const chance = this.#deviations * Math.sqrt((usual * (1 - usual)) / calls);
    // Of a dependency that fails half of the time anyway, all calls failing is still news.
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

  /** What is usual stays known: it was learnt while all was well. */
  reset(): void {
    this.#window.clear();
  }

  #learnTime(elapsed: number, isBad: boolean): void {
    this.#timed += 1;
    // The first calls make up the mean between them; one of them that is slow, as first calls are, fades.
    const weight = isBad ? SLOW_WEIGHT : Math.max(CALL_WEIGHT, 1 / this.#timed);
    this.#usualTime += weight * (elapsed - this.#usualTime);
  }

  #learnShare(): void {
    const { calls, failures } = this.#window;
    if (calls >= this.#minimumCalls) this.#usualShare += PART_WEIGHT * (failures / calls - this.#usualShare);
  }
}
