import { checkAlpha, checkCounts, type Counts } from "./counts.ts";
import { exceedsLimit, type Exceeds } from "./exceeds.ts";
import { overlaps, union, type Increment, type Span } from "./increment.ts";
import { interval, type Interval } from "./interval.ts";

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
}

/** Calls of a tumbling window. */
const WINDOW = 2000;

/** The part of α that the test over the whole bake spends; the windows spend the rest. */
const WHOLE_BAKE = 0.8;

/** An increment, and the index of the window that it is in. */
interface Counted {
  readonly increment: Increment;
  readonly window: number;
}

/** The counts of one test. */
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
  readonly #exceeds: Exceeds;
  readonly #counted: Counted[] = [];
  #whole: Sum = { calls: 0, bad: 0 };
  #windows: Sum[] = [{ calls: 0, bad: 0 }];
  #setAside: Span[] = [];
  #alarm: { readonly index: number; readonly exceeded: Exceeded } | undefined;

  /** @throws RangeError if the limit or α is not a share */
  constructor({ limit, alpha = 0.005 }: ExcessOptions) {
    checkAlpha(alpha);
    this.limit = limit;
    this.#alpha = alpha;
    this.#exceeds = exceedsLimit(limit);
  }

  /** The first alarm of the calls that count. */
  get exceeded(): Exceeded | undefined {
    return this.#alarm?.exceeded;
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
    return { counts, share, limit, ...interval(counts, alpha) };
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
    if (increment.calls === 0 || this.#setAside.some((span) => overlaps(increment, span))) return this.exceeded;

    if ((this.#windows.at(-1)?.calls ?? 0) >= WINDOW) this.#windows.push({ calls: 0, bad: 0 });
    this.#count({ increment, window: this.#windows.length - 1 });
    return this.exceeded;
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
    this.#setAside = union(this.#setAside, span);
    const first = this.#counted.findIndex(({ increment }) => overlaps(increment, span));
    if (first < 0) return { calls: 0, bad: 0 };

    const before = this.#whole;
    const later = this.#counted.splice(first);
    if (this.#alarm !== undefined && this.#alarm.index >= first) this.#alarm = undefined;
    this.#whole = { calls: 0, bad: 0 };
    this.#windows = this.#windows.map(() => ({ calls: 0, bad: 0 }));
    for (const counted of this.#counted) this.#sum(counted);
    for (const counted of later) if (!overlaps(counted.increment, span)) this.#count(counted);
    return { calls: before.calls - this.#whole.calls, bad: before.bad - this.#whole.bad };
  }

  #count(counted: Counted): void {
    const window = this.#sum(counted);
    const index = this.#counted.push(counted) - 1;
    if (this.#alarm !== undefined) return;
    const { since, until } = counted.increment;
    const forWindow = ((1 - WHOLE_BAKE) * this.#alpha) / ((counted.window + 1) * (counted.window + 2));
    if (this.#exceeds(this.#whole, WHOLE_BAKE * this.#alpha)) {
      this.#alarm = { index, exceeded: { test: "whole bake", counts: { ...this.#whole }, since, until } };
    } else if (this.#exceeds(window, forWindow)) {
      this.#alarm = { index, exceeded: { test: "recent calls", counts: { ...window }, since, until } };
    }
  }

  /** Adds to the sums, and returns the one of the window. */
  #sum({ increment, window }: Counted): Sum {
    const sum = this.#windows[window];
    if (sum === undefined) throw new Error(`there is no window ${window}`);
    addTo(this.#whole, increment);
    addTo(sum, increment);
    return sum;
  }
}

function addTo(sum: Sum, { calls, bad }: Counts): void {
  sum.calls += calls;
  sum.bad += bad;
}
