import { checkAlpha, checkCounts, type Counts } from "./counts.ts";
import { evidenceAbove, evidenceBelow } from "./mixture.ts";

export interface Interval {
  readonly lower: number;
  readonly upper: number;
}

/** Halvings of a share's logarithm: enough for twelve digits. */
const STEPS = 48;

const SMALLEST = 1e-12;

/**
 * An anytime-valid interval for the share of bad calls: the shares that the mixture tests of both sides have not
 * excluded. If calls are bad independently of each other, every interval of a bake contains the true share, all at the
 * same time, with a probability of at least 1 − 2α (each side errs with α at most). This is a confidence sequence: the
 * inverse of a test that may be computed at any time.
 *
 * `lower` exceeds a limit exactly when the test with this α says that the share does. Without calls it is 0 to 1.
 *
 * @see Lindon, Sanden, Shirikian, KDD 2022, https://arxiv.org/abs/2205.14762
 * @throws RangeError if the counts are not those of calls, or α is not between 0 and 1
 */
export function interval(counts: Counts, alpha: number): Interval {
  checkCounts(counts);
  checkAlpha(alpha);
  const { calls, bad } = counts;
  if (calls === 0) return { lower: 0, upper: 1 };
  const threshold = -Math.log(alpha);
  const share = bad / calls;
  return {
    lower: bad === 0 ? 0 : boundary(share, SMALLEST, (limit) => evidenceAbove(limit)(counts) >= threshold, 0),
    upper: bad === calls ? 1 : boundary(share, 1, (other) => evidenceBelow(other)(counts) >= threshold, 1),
  };
}

/** The first excluded share on the way from `inside`, which is not excluded, to `outside`; the evidence is monotone. */
function boundary(inside: number, outside: number, excludes: (share: number) => boolean, otherwise: number): number {
  if (!excludes(outside)) return otherwise;
  let included = Math.log(Math.max(inside, SMALLEST));
  let excluded = Math.log(outside);
  for (let step = 0; step < STEPS; step++) {
    const middle = (included + excluded) / 2;
    if (excludes(Math.exp(middle))) excluded = middle;
    else included = middle;
  }
  return Math.exp(excluded);
}
