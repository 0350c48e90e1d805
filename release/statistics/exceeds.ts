import { checkCounts, type Counts } from "./counts.ts";
import { evidenceAbove } from "./mixture.ts";

/**
 * Whether counts show that the true share of bad calls is above the limit: whether the evidence reaches 1 / α.
 *
 * @throws RangeError if the counts are not those of calls
 */
export type Exceeds = (counts: Counts, alpha: number) => boolean;

/** @throws RangeError if the limit is not a share */
export function exceedsLimit(limit: number): Exceeds {
  const evidence = evidenceAbove(limit);
  return (counts, alpha) => {
    checkCounts(counts);
    const threshold = -Math.log(alpha);
    return mostEvidence(counts, limit) >= threshold && evidence(counts) >= threshold;
  };
}

/** No mixture has more evidence than the share that fits the counts best, which costs 2 logarithms instead of 40 powers. */
function mostEvidence({ calls, bad }: Counts, limit: number): number {
  if (bad <= limit * calls) return 0;
  const share = bad / calls;
  const ofGood = bad === calls ? 0 : (calls - bad) * Math.log((1 - share) / (1 - limit));
  return bad * Math.log(share / limit) + ofGood;
}
