/**
 * A seeded generator of uniform numbers, so that two runs of a simulation are the same: sfc32, with 2³² values.
 *
 * @see Doty-Humphrey, PractRand, http://pracrand.sourceforge.net
 */
export function uniform(seed: number): () => number {
  let a = 0;
  let b = seed | 0;
  let c = 0x9e3779b9 | 0;
  let counter = 1;
  const next = () => {
    const result = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + result;
    return (result >>> 0) / 2 ** 32;
  };
  for (let round = 0; round < 12; round++) next();
  return next;
}

/** Draws how many of some calls are bad. */
export type Draw = (calls: number) => number;

const tables = new Map<string, readonly (readonly number[])[]>();

/**
 * Draws from binomial distributions: each of up to `most` calls is bad with the same probability, independently of the
 * others.
 */
export function binomial(most: number, share: number, uniform: () => number): Draw {
  const key = `${most} ${share}`;
  const table = tables.get(key) ?? Array.from({ length: most + 1 }, (_, calls) => cumulative(calls, share));
  tables.set(key, table);
  return (calls) => {
    const sums = table[calls];
    if (sums === undefined) throw new RangeError(`${calls} calls are more than ${most}`);
    const value = uniform();
    let bad = 0;
    while (bad < calls && value >= (sums[bad] ?? 1)) bad += 1;
    return bad;
  };
}

/** The probabilities of at most 0, 1, 2 … bad calls. */
function cumulative(calls: number, share: number): number[] {
  if (share === 1) return new Array<number>(calls).fill(0);
  const sums: number[] = [];
  let probability = (1 - share) ** calls;
  let sum = 0;
  for (let bad = 0; bad <= calls; bad++) {
    sum += probability;
    sums.push(sum);
    probability *= ((calls - bad) / (bad + 1)) * (share / (1 - share));
  }
  return sums;
}
