import { checkCounts, type Counts } from "./counts.ts";

/**
 * ln Λ of counts, in natural units: never NaN, whatever the counts.
 *
 * @throws RangeError if the counts are not those of calls
 */
export type Evidence = (counts: Counts) => number;

const ALTERNATIVES = 40;

/** An alternative nearer to the boundary than this factor would take too many calls to tell from it. */
const NEAREST = 1.2;

/** The largest alternative above a limit. */
const HIGHEST = 0.9;

/** The smallest alternative below a boundary is this part of it. */
const LOWEST = 40;

/** A share nearer to 0 or 1 than this is taken for 0 or 1: beyond a trillion calls, counts are no longer exact. */
const SMALLEST = 1e-12;

/**
 * Evidence that the share of bad calls exceeds a limit: a mixture over log-spaced alternatives from 1.2 times the limit
 * to 0.9. Where the limit is so high that these would meet, they lie between the limit and 1. A limit of 0 is exceeded
 * by any bad call (infinite evidence), and a limit of 1 by none.
 *
 * @throws RangeError if the limit is not a share
 */
export function evidenceAbove(limit: number): Evidence {
  checkShare(limit);
  if (limit < SMALLEST) return checked(({ bad }) => (bad > 0 ? Infinity : 0));
  if (limit > 1 - SMALLEST) return checked(() => 0);
  const farthest = Math.max(HIGHEST, (1 + limit) / 2);
  return mixture(limit, Math.min(NEAREST * limit, (limit + farthest) / 2), farthest);
}

/**
 * Evidence that the share of bad calls is below a boundary: a mixture over log-spaced alternatives from the
 * boundary / 1.2 to a fortieth of it. No share is below 0, and any good call shows that the share is below 1.
 *
 * @throws RangeError if the boundary is not a share
 */
export function evidenceBelow(boundary: number): Evidence {
  checkShare(boundary);
  if (boundary < SMALLEST) return checked(() => 0);
  if (boundary > 1 - SMALLEST) return checked(({ calls, bad }) => (bad < calls ? Infinity : 0));
  return mixture(boundary, boundary / NEAREST, boundary / LOWEST);
}

/**
 * The evidence against a boundary of a share: an anytime-valid mixture likelihood ratio.
 *
 * For k bad calls of n, the boundary p₀ and alternatives p₁ … p₄₀ of equal weight:
 *
 *     Λ(k, n) = 1/40 · Σ (pᵢ/p₀)ᵏ · ((1 − pᵢ)/(1 − p₀))ⁿ⁻ᵏ
 *
 * Assumption: calls are bad independently of each other, with one share p. If p is the boundary, Λ is a martingale with
 * mean 1; if p is on the other side of it than the alternatives, Λ is a supermartingale. Ville's inequality then bounds
 * the probability that Λ ever reaches 1/α by α, however often and whenever it is computed.
 *
 * @see Ville, Étude critique de la notion de collectif, 1939
 * @see Robbins, Statistical methods related to the law of the iterated logarithm, Ann. Math. Stat. 41 (1970)
 * @see Lindon, Sanden, Shirikian, Rapid Regression Detection in Software Deployments through Sequential Testing,
 *   KDD 2022, https://arxiv.org/abs/2205.14762
 */
function mixture(boundary: number, nearest: number, farthest: number): Evidence {
  const step = (farthest / nearest) ** (1 / (ALTERNATIVES - 1));
  const alternatives = Array.from({ length: ALTERNATIVES }, (_, i) => nearest * step ** i);
  const ofBad = Float64Array.from(alternatives, (share) => Math.log(share / boundary));
  const ofGood = Float64Array.from(alternatives, (share) => Math.log1p(-share) - Math.log1p(-boundary));
  const terms = new Float64Array(ALTERNATIVES);

  return checked(({ calls, bad }) => {
    const good = calls - bad;
    let largest = -Infinity;
    for (let i = 0; i < ALTERNATIVES; i++) {
      const term = bad * (ofBad[i] ?? 0) + good * (ofGood[i] ?? 0);
      terms[i] = term;
      if (term > largest) largest = term;
    }
    // Relative to the largest term, no power overflows and not all of them vanish.
    let sum = 0;
    for (const term of terms) sum += Math.exp(term - largest);
    return largest + Math.log(sum / ALTERNATIVES);
  });
}

const checked =
  (evidence: Evidence): Evidence =>
  (counts) => {
    checkCounts(counts);
    return evidence(counts);
  };

function checkShare(share: number): void {
  if (!(share >= 0 && share <= 1)) throw new RangeError(`'${share}' is not a share: it must be between 0 and 1`);
}
