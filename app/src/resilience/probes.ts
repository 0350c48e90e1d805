import type { BreakerOptions } from "./breaker-options.ts";

const NONE: ReadonlySet<number> = new Set();

/** The calls that a half-open breaker lets through to find out how its dependency is, and what they have found. */
export class Probes {
  readonly #options: BreakerOptions;
  /** Generations of those that began as other pods' leases. */
  readonly #adopted: Set<number>;
  #underWay: number;
  #succeeded = 0;
  #lostAt = 0;

  /** @param adopted - probes that are under way already */
  constructor(options: BreakerOptions, now: number, adopted = NONE) {
    this.#options = options;
    this.#adopted = new Set(adopted);
    this.#underWay = adopted.size;
    if (adopted.size > 0) this.#lostAt = this.#untilLost(now);
  }

  /** Whether one more may begin. */
  get hasRoom(): boolean {
    return this.#underWay < (this.#options.halfOpenLimit ?? 1);
  }

  /** Whether nobody has heard of them for so long that waiting on would be waiting forever. */
  areLost(now: number): boolean {
    return now >= this.#lostAt;
  }

  begin(now: number): void {
    this.#underWay += 1;
    this.#lostAt = this.#untilLost(now);
  }

  /** Whether a call is one of those adopted; it ends with this. */
  adopts(generation: number): boolean {
    return this.#adopted.delete(generation);
  }

  /** One has ended, and was no success. */
  ended(): void {
    this.#underWay -= 1;
  }

  /** Until when those that are under way have ended, or are lost. */
  get busyUntil(): number {
    return this.#underWay > 0 ? this.#lostAt : 0;
  }

  /** One has succeeded; says whether that is enough of them. */
  succeeded(): boolean {
    this.ended();
    this.#succeeded += 1;
    return this.#succeeded >= (this.#options.successThreshold ?? 1);
  }

  #untilLost(now: number): number {
    return now + (this.#options.timeout ?? this.#options.recoveryTimeout);
  }
}
