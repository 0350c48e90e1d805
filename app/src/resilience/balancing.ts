/** The properties of an endpoint that a strategy uses. */
export interface Candidate {
  readonly weight: number;
  readonly inFlight: number;
}

/** Chooses one of several candidates; there is at least one. */
export type Chooser = <C extends Candidate>(candidates: readonly C[]) => C;

/**
 * Strategies for choosing an endpoint. A chooser keeps its own state between choices. `random`
 * returns 0 to 1, excluding 1.
 */
export const STRATEGIES = {
  /** Each endpoint in turn. For endpoints and calls that are all alike. */
  "round-robin": () => {
    let turn = -1;
    return (candidates) => {
      turn = (turn + 1) % candidates.length;
      return at(candidates, turn);
    };
  },

  /** A random endpoint. For many independent callers, whose turns would coincide. */
  random: (random) => (candidates) => at(candidates, Math.floor(random() * candidates.length)),

  /**
   * In proportion to the weights, evenly mixed: 5, 1, 1 gives a a b a c a a and not five times a.
   *
   * @see https://github.com/nginx/nginx/commit/52327e0627f49dbda1e8db695e63a4b0af4448b1
   */
  weighted: () => {
    const credit = new WeakMap<Candidate, number>();
    return (candidates) => {
      let total = 0;
      let best = at(candidates, 0);
      let most = -Infinity;
      for (const candidate of candidates) {
        total += candidate.weight;
        const now = (credit.get(candidate) ?? 0) + candidate.weight;
        credit.set(candidate, now);
        if (now > most) {
          best = candidate;
          most = now;
        }
      }
      credit.set(best, most - total);
      return best;
    };
  },

  /**
   * Of two random endpoints, the one with fewer calls in flight for its weight. Nearly as good as
   * comparing all endpoints, and callers do not all choose the same one.
   *
   * @see Mitzenmacher, "The Power of Two Choices in Randomized Load Balancing", 2001
   */
  "least-loaded": (random) => (candidates) => {
    const first = Math.floor(random() * candidates.length);
    if (candidates.length === 1) return at(candidates, 0);
    const second = (first + 1 + Math.floor(random() * (candidates.length - 1))) % candidates.length;
    const [one, other] = [at(candidates, first), at(candidates, second)];
    return load(other) < load(one) ? other : one;
  },
} as const satisfies Record<string, (random: () => number) => Chooser>;

export type Strategy = keyof typeof STRATEGIES;

const load = ({ weight, inFlight }: Candidate): number => (inFlight + 1) / weight;

function at<C>(candidates: readonly C[], index: number): C {
  const candidate = candidates[index];
  if (candidate === undefined) throw new RangeError(`there is no candidate ${index} of ${candidates.length}`);
  return candidate;
}
