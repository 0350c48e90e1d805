import { checkAlpha, checkCounts, type Counts } from "./counts.ts";
import { interval, type Interval } from "./interval.ts";
import { evidenceAbove, type Evidence } from "./mixture.ts";

/** Calls of one span of time, in milliseconds of any clock that only goes forward. */
export interface Increment extends Counts {
  readonly since: number;
  readonly until: number;
}

export interface ExcessOptions {
  /** The share of bad calls that the true share may reach and not exceed, 0 to 1. */
  readonly limit: number;
  /**
   * Probability of a false alarm in the whole bake, if calls are bad independently of each other.
   *
   * @default 0.005 which is half of 1 %, for one of two objectives
   */
  readonly alpha?: number;
}

/** The increment at which a test crossed its threshold, and the counts of that test. */
export interface Exceeded {
  readonly test: "whole bake" | "recent calls";
  readonly counts: Counts;
  readonly since: number;
  readonly until: number;
}

/** What the calls so far say of the share. */
export interface Estimate extends Interval {
  readonly counts: Counts;
  /** Bad calls over calls; none without calls. */
  readonly share: number | undefined;
  readonly limit: number;
  /** Probability that the intervals of the whole bake contain the true share, for example 0.992. */
  readonly confidence: number;
}

/** Calls of a tumbling window. */
const WINDOW = 2000;

/** The part of α that the test over the whole bake spends; the windows spend the rest. */
const WHOLE_BAKE = 0.8;

/** The increments counted in one test. */
interface Sum {
  calls: number;
  bad: number;
}

/**
 * A sequential test of one objective over a bake: does the true share of bad calls exceed the limit?
 *
 * It spends 0.8 α on the counts of the whole bake, and 0.2 α on tumbling windows of 2,000 calls, which detect a version
 * that turns bad late. The j-th window spends 1/(j (j + 1)) of this; these parts add up to 1. Each test has crossed
 * its threshold once the mixture likelihood ratio reaches 1 / (its part of α). By Ville's inequality and the union
 * bound, a version at or below the limit crosses any of them with probability α at most, however often calls are added.
 *
 * An increment is never split. A window ends with the increment that brings it to 2,000 calls, and may be longer. This
 * keeps the bound: a window begins at a stopping time, which only the numbers of calls decide, and a likelihood ratio
 * that begins there is a martingale again. A split by proportion would not be one.
 *
 * The alarm is kept: later good calls do not take it back. Only `setAside` does, if the calls that remain do not raise it.
 */
export class ExcessTest {
  readonly limit: number;
  readonly #alpha: number;
  readonly #evidence: Evidence;
  #increments: Increment[] = [];
  /** The window of each increment. */
  #windowOf: number[] = [];
  #whole: Sum = { calls: 0, bad: 0 };
  #windows: Sum[] = [{ calls: 0, bad: 0 }];
  readonly #setAside: { readonly from: number; readonly to: number }[] = [];
  #exceeded: Exceeded | undefined;

  /** @throws RangeError if the limit or α is not a share */
  constructor({ limit, alpha = 0.005 }: ExcessOptions) {
    checkAlpha(alpha);
    this.limit = limit;
    this.#alpha = alpha;
    this.#evidence = evidenceAbove(limit);
  }

  /** The first alarm of the calls that count. */
  get exceeded(): Exceeded | undefined {
    return this.#exceeded;
  }

  /** All calls that count. */
  get counts(): Counts {
    return { ...this.#whole };
  }

  /**
   * Of all calls that count. Its interval has on each side the α of the test over the whole bake, so `lower` is above the
   * limit while that test has crossed its threshold.
   */
  get estimate(): Estimate {
    const { counts, limit } = this;
    const share = counts.calls === 0 ? undefined : counts.bad / counts.calls;
    const alpha = WHOLE_BAKE * this.#alpha;
    return { counts, share, limit, ...interval(counts, alpha), confidence: 1 - 2 * alpha };
  }

  /**
   * Adds calls. Those that overlap a span that is set aside do not count.
   *
   * @returns the alarm, if there is one now
   * @throws RangeError if the counts are not those of calls, or the span ends before it begins
   */
  add(increment: Increment): Exceeded | undefined {
    checkCounts(increment);
    const { since, until } = increment;
    if (!(since <= until)) throw new RangeError(`'since' (${since}) must be at most 'until' (${until})`);
    if (increment.calls === 0 || this.#setAside.some((span) => overlaps(increment, span))) return this.#exceeded;

    if ((this.#windows.at(-1)?.calls ?? 0) >= WINDOW) this.#windows.push({ calls: 0, bad: 0 });
    const window = this.#windows.length - 1;
    this.#increments.push(increment);
    this.#windowOf.push(window);
    this.#count(increment, window);
    return this.#exceeded;
  }

  /**
   * Takes the calls of a span out of the test, for example those of an outage that both colors shared. An increment that
   * overlaps the span is taken out whole, also one that is added later. The others are judged again without them, in
   * the windows that they were in: windows with new borders would be new tests, and would need their own part of α.
   *
   * @returns the counts that were taken out now
   */
  setAside(from: number, to: number): Counts {
    if (!(from <= to)) throw new RangeError(`'from' (${from}) must be at most 'to' (${to})`);
    const span = { from, to };
    this.#setAside.push(span);
    const before = this.#whole;
    const all = this.#increments.map((increment, index) => ({ increment, window: this.#windowOf[index] ?? 0 }));
    const remaining = all.filter(({ increment }) => !overlaps(increment, span));
    this.#increments = remaining.map(({ increment }) => increment);
    this.#windowOf = remaining.map(({ window }) => window);
    this.#whole = { calls: 0, bad: 0 };
    this.#windows = this.#windows.map(() => ({ calls: 0, bad: 0 }));
    this.#exceeded = undefined;
    for (const { increment, window } of remaining) this.#count(increment, window);
    return { calls: before.calls - this.#whole.calls, bad: before.bad - this.#whole.bad };
  }

  #count(increment: Increment, index: number): void {
    const window = this.#windows[index];
    if (window === undefined) throw new Error(`there is no window ${index}`);
    addTo(this.#whole, increment);
    addTo(window, increment);
    if (this.#exceeded !== undefined) return;
    const { since, until } = increment;
    const forWindow = ((1 - WHOLE_BAKE) * this.#alpha) / ((index + 1) * (index + 2));
    if (this.#crosses(this.#whole, WHOLE_BAKE * this.#alpha)) {
      this.#exceeded = { test: "whole bake", counts: { ...this.#whole }, since, until };
    } else if (this.#crosses(window, forWindow)) {
      this.#exceeded = { test: "recent calls", counts: { ...window }, since, until };
    }
  }

  #crosses(counts: Counts, alpha: number): boolean {
    const threshold = -Math.log(alpha);
    return mostEvidence(counts, this.limit) >= threshold && this.#evidence(counts) >= threshold;
  }
}

/** No mixture has more evidence than the share that fits the counts best, which costs 2 logarithms instead of 40 powers. */
function mostEvidence({ calls, bad }: Counts, limit: number): number {
  const share = bad / calls;
  if (share <= limit) return 0;
  const ofGood = bad === calls ? 0 : (calls - bad) * Math.log((1 - share) / (1 - limit));
  return bad * Math.log(share / limit) + ofGood;
}

function addTo(sum: Sum, { calls, bad }: Counts): void {
  sum.calls += calls;
  sum.bad += bad;
}

/** A span without length overlaps the one that it lies in. */
function overlaps({ since, until }: Increment, { from, to }: { readonly from: number; readonly to: number }): boolean {
  return since === until ? from <= since && since <= to : since < to && from < until;
}
