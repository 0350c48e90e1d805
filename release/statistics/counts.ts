/** Calls, and how many of them were bad. What is bad depends on the objective: a failed call, or a slow one. */
export interface Counts {
  readonly calls: number;
  readonly bad: number;
}

/** @throws RangeError if the counts are not those of calls: negative, not finite, or more bad ones than calls */
export function checkCounts({ calls, bad }: Counts): void {
  if (!(bad >= 0 && bad <= calls && calls < Infinity)) {
    throw new RangeError(`'bad' (${bad}) must be between 0 and 'calls' (${calls}), and 'calls' must be finite`);
  }
}

/** @throws RangeError if the probability of an error is not between 0 and 1, both excluded */
export function checkAlpha(alpha: number): void {
  if (!(alpha > 0 && alpha < 1)) throw new RangeError(`'alpha' (${alpha}) must be above 0 and below 1`);
}
