import type { BreakerOptions } from "./breaker-options.ts";

const NONE: ReadonlySet<number> = new Set();

/** The probes of a half-open breaker, and their results. */
export class Probes {
  readonly #options: BreakerOptions;
  /** Generations of probes that began under leases. */
  readonly #adopted: Set<number>;
  #underWay: number;
  #succeeded = 0;
  #lostAt = 0;

  /** @param adopted - probes that are already in flight */
  constructor(options: BreakerOptions, now: number, adopted = NONE) {
    this.#options = options;
    this.#adopted = new Set(adopted);
    this.#underWay = adopted.size;
    if (adopted.size > 0) this.#lostAt = this.#untilLost(now);
  }

  get hasRoom(): boolean {
    return this.#underWay < (this.#options.halfOpenLimit ?? 1);
  }

  /** Whether the probes in flight have not reported in time. */
  areLost(now: number): boolean {
    return now >= this.#lostAt;
  }

  begin(now: number): void {
    this.#underWay += 1;
    this.#lostAt = this.#untilLost(now);
  }

  /** Whether a call is an adopted probe. Removes it. */
  adopts(generation: number): boolean {
    return this.#adopted.delete(generation);
  }

  /** A probe has ended without success. */
  ended(): void {
    this.#underWay -= 1;
  }

  /** Time at which the probes in flight have ended or are lost. */
  get busyUntil(): number {
    return this.#underWay > 0 ? this.#lostAt : 0;
  }

  /** A probe has succeeded. Returns whether enough have. */
  succeeded(): boolean {
    this.ended();
    this.#succeeded += 1;
    return this.#succeeded >= (this.#options.successThreshold ?? 1);
  }

  #untilLost(now: number): number {
    return now + (this.#options.timeout ?? this.#options.recoveryTimeout);
  }
}
