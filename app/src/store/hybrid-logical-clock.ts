/**
 * A hybrid logical clock that numbers the writes of this process: microseconds since 1970, always
 * higher than any number that was returned or observed. So the writes of a process stay in order
 * even if the system's clock is set back. Between processes, their clocks decide.
 *
 * @see Kulkarni et al., "Logical Physical Clocks", 2014
 */
export class HybridLogicalClock {
  readonly #now: () => number;
  #last = 0;

  /** @param now - milliseconds since 1970 */
  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  next(): number {
    this.#last = Math.max(this.#last + 1, Math.floor(this.#now() * 1000));
    return this.#last;
  }

  /** Later numbers are higher than this one. */
  observe(version: number): void {
    this.#last = Math.max(this.#last, version);
  }
}

/** Time at which a write of this version was accepted: ISO 8601, UTC. */
export function acceptedAt(version: number): string {
  return new Date(version / 1000).toISOString();
}
