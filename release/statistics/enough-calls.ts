import { checkAlpha, type Counts } from "./counts.ts";
import { evidenceBelow, type Evidence } from "./mixture.ts";

export interface EnoughOptions {
  /** The share of bad calls that a version may reach, above 0 and below 1. */
  readonly limit: number;
  /** The multiple of the limit that nobody would tolerate, for example 3. It is at least 1.2. */
  readonly detect: number;
  /**
   * Probability that the calls are enough although the true share is the intolerable one or more.
   *
   * @default 0.01
   */
  readonly alpha?: number;
}

/** Numbers of calls, by how many of them are bad. */
export interface CallsNeeded {
  /** If no call is bad. */
  readonly none: number;
  /** If the true share is half the limit. */
  readonly half: number;
  /** If the true share is the limit. */
  readonly atLimit: number;
}

/** Nearer multiples are not distinguished from the limit by any number of calls. */
const SMALLEST_MULTIPLE = 1.2;

/** A boundary of more calls than this is not searched; counts are exact up to it. */
const MOST_CALLS = 2 ** 53;

/**
 * The calls that a version needs before it may be promoted or retired: enough to rule out that its true share of bad
 * calls is `detect` times the limit, or more.
 *
 * Ruled out means: the mixture likelihood ratio of shares below the intolerable one reaches 1 / α. It is the test of
 * `ExcessTest` turned round, and as valid at any time: if calls are bad independently of each other, an intolerable
 * version has enough calls with probability α at most, over the whole bake. A version has to pass for each of its
 * objectives, so α is not divided among them.
 *
 * @see Lindon, Sanden, Shirikian, KDD 2022, https://arxiv.org/abs/2205.14762
 */
export class EnoughCalls {
  /** The share that must be ruled out. */
  readonly intolerable: number;
  readonly #limit: number;
  readonly #threshold: number;
  readonly #evidence: Evidence;

  /** @throws RangeError if no number of calls could be enough */
  constructor({ limit, detect, alpha = 0.01 }: EnoughOptions) {
    checkAlpha(alpha);
    if (!(limit > 0 && limit < 1)) {
      throw new RangeError(`'limit' (${limit}) must be above 0 and below 1: no multiple of it can be ruled out`);
    }
    if (!(detect >= SMALLEST_MULTIPLE)) {
      throw new RangeError(`'detect' (${detect}) must be at least ${SMALLEST_MULTIPLE} times the limit`);
    }
    this.intolerable = Math.min(detect * limit, 1);
    this.#limit = limit;
    this.#threshold = -Math.log(alpha);
    this.#evidence = evidenceBelow(this.intolerable);
  }

  /** @throws RangeError if the counts are not those of calls */
  areEnough(counts: Counts): boolean {
    return this.#evidence(counts) >= this.#threshold;
  }

  /**
   * The further calls that are enough if none of them is bad.
   *
   * @throws RangeError if the counts are not those of calls
   */
  missing(counts: Counts): number {
    return this.areEnough(counts) ? 0 : this.#enoughWith(counts.bad) - counts.calls;
  }

  /**
   * The calls that are enough with a given probability, checked after each call.
   *
   * @param power the probability, above 0 and below 1; 0.5 gives the median
   */
  callsNeeded(power = 0.5): CallsNeeded {
    if (!(power > 0 && power < 1)) throw new RangeError(`'power' (${power}) must be above 0 and below 1`);
    return {
      none: this.#enoughWith(0),
      half: this.#quantile(this.#limit / 2, power),
      atLimit: this.#quantile(this.#limit, power),
    };
  }

  /** The smallest number of calls that is enough with this number of bad ones among them. */
  #enoughWith(bad: number): number {
    let tooFew = bad;
    let enough = Math.ceil(bad) + 1;
    while (!this.areEnough({ calls: enough, bad })) {
      if (enough > MOST_CALLS) return Infinity;
      tooFew = enough;
      enough *= 2;
    }
    while (enough - tooFew > 1) {
      const middle = Math.floor((tooFew + enough) / 2);
      if (this.areEnough({ calls: middle, bad })) enough = middle;
      else tooFew = middle;
    }
    return enough;
  }

  /**
   * A quantile of the number of calls at which they become enough, exact.
   *
   * With k bad calls, they become enough at n(k), which grows with k. So only n(0), n(1), … matter: at n(k) a version
   * with at most k bad calls has enough, and the others go on with the bad calls of n(k + 1) − n(k) more.
   */
  #quantile(share: number, power: number): number {
    // The probability of each number of bad calls, of a version that does not have enough yet.
    let remaining = [1];
    let calls = 0;
    let done = 0;
    for (let bad = 0; ; bad++) {
      const next = this.#enoughWith(bad);
      remaining = convolve(remaining, binomial(next - calls, share));
      calls = next;
      for (let count = 0; count <= bad; count++) {
        done += remaining[count] ?? 0;
        remaining[count] = 0;
      }
      if (done >= power) return calls;
    }
  }
}

/** Probabilities of 0, 1, 2 … bad calls, until the rest is negligible. */
function binomial(calls: number, share: number): number[] {
  const probabilities: number[] = [];
  let probability = Math.exp(calls * Math.log1p(-share));
  for (let bad = 0; bad <= calls; bad++) {
    probabilities.push(probability);
    if (bad > calls * share && probability < 1e-12) break;
    probability *= ((calls - bad) / (bad + 1)) * (share / (1 - share));
  }
  return probabilities;
}

function convolve(one: readonly number[], other: readonly number[]): number[] {
  const sums = new Array<number>(one.length + other.length - 1).fill(0);
  for (const [i, p] of one.entries()) {
    if (p < 1e-15) continue;
    for (const [j, q] of other.entries()) sums[i + j] = (sums[i + j] ?? 0) + p * q;
  }
  return sums;
}
