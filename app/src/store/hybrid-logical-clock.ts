/**
 * Numbers writes in the order in which this process accepts them: microseconds since 1970, always higher
 * than any number given or observed before, whatever the system's clock does. So a process's writes never
 * overtake each other, nor those that it has observed. Between processes, their clocks decide.
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

  /** What comes next will be higher than this, too. */
  observe(version: number): void {
    this.#last = Math.max(this.#last, version);
  }
}

/** When a write of this version was accepted: ISO 8601, UTC. */
export function acceptedAt(version: number): string {
  return new Date(version / 1000).toISOString();
}
