/** Samples kept, and how many new ones there are between two looks at them. */
const KEPT = 200;
const BETWEEN_LOOKS = 20;

/** A quantile of the latest two hundred durations, sorted anew for every twentieth. */
export class Latencies {
  readonly #quantile: number;
  readonly #samples: number[] = [];
  #next = 0;
  #current: number | undefined;

  /** @param quantile - above 0 and below 1 */
  constructor(quantile: number) {
    this.#quantile = quantile;
  }

  add(milliseconds: number): void {
    this.#samples[this.#next % KEPT] = milliseconds;
    this.#next += 1;
    if (this.#next % BETWEEN_LOOKS !== 0) return;
    const sorted = Float64Array.from(this.#samples).sort();
    this.#current = sorted[Math.ceil(this.#quantile * sorted.length) - 1];
  }

  /** Milliseconds; nothing until there are twenty samples. */
  get value(): number | undefined {
    return this.#current;
  }
}
