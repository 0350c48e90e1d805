/** Probabilities of 0, 1 … n bad calls of n, by their recurrence over calls: independent of the code under test. */
export function binomial(calls: number, share: number): number[] {
  let probabilities = [1];
  for (let call = 0; call < calls; call++) {
    probabilities = [...probabilities, 0].map(
      (stays, bad) => stays * (1 - share) + (probabilities[bad - 1] ?? 0) * share,
    );
  }
  return probabilities;
}

/** The probability that calls of this share stop, checked after each of them. It leaves out what is less than 1e-12. */
export function probabilityOfStop(
  calls: number,
  share: number,
  stops: (calls: number, bad: number) => boolean,
): number {
  let going = new Float64Array([1]);
  let stopped = 0;
  for (let made = 1; made <= calls; made++) {
    const next = new Float64Array(made + 1);
    for (let bad = 0; bad <= made; bad++) {
      const probability = (going[bad] ?? 0) * (1 - share) + (going[bad - 1] ?? 0) * share;
      if (probability < 1e-12) continue;
      if (stops(made, bad)) stopped += probability;
      else next[bad] = probability;
    }
    going = next;
  }
  return stopped;
}
