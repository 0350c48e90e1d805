import type { Outcome } from "./breaker-options.ts";

/** In place of a generation: the call is not admitted. */
export const REJECTED = -1;

/** Permission for one probe, granted by Redis, which counts the probes of all pods. */
export interface ProbeLease {
  /** Time until which the probe may begin, on the breaker's clock. */
  readonly useBy: number;
  /**
   * Reports the outcome of the probe. After `nothing`, because the caller went away, the lease may
   * be lent again. Not called for an unused lease.
   */
  settle(outcome: Outcome): void;
}

/** The decision of the pods that a breaker is open. */
export interface HeldOpen {
  /** Milliseconds until probes are granted; Infinity if an operator opened it. */
  readonly remaining: number;
  /** Openings since it was last closed, including this one. */
  readonly openings: number;
  /** Called for each rejected call, so it has to be fast. */
  readonly rejected: () => void;
}

/**
 * Shared by all breakers, so that no probe is taken for one of another episode. Counts down,
 * because generations of a breaker count up.
 */
let lastProbe = REJECTED;

/**
 * The probe leases of a breaker that the pods hold open. It admits only probes under these leases;
 * its own recovery time does not count.
 */
export class ProbeLeases {
  readonly rejected: () => void;
  readonly #unused: ProbeLease[] = [];
  readonly #inUse: Map<number, ProbeLease>;

  /** @param before - leases of the previous decision, whose probes may still be in flight */
  constructor({ rejected }: HeldOpen, before?: ProbeLeases) {
    this.rejected = rejected;
    this.#inUse = before === undefined ? new Map<number, ProbeLease>() : before.#inUse;
  }

  get underWay(): Set<number> {
    return new Set(this.#inUse.keys());
  }

  add(lease: ProbeLease): void {
    this.#unused.push(lease);
  }

  /** Removes a lease; false if its probe has started, or it is not here. */
  remove(lease: ProbeLease): boolean {
    const index = this.#unused.indexOf(lease);
    if (index !== -1) this.#unused.splice(index, 1);
    return index !== -1;
  }

  /** Begins a probe. Returns its number for `settle`, or REJECTED. */
  use(now: number): number {
    const index = this.#unused.findIndex(({ useBy }) => now <= useBy);
    const [lease] = index === -1 ? [] : this.#unused.splice(index, 1);
    if (lease === undefined) return REJECTED;
    lastProbe -= 1;
    this.#inUse.set(lastProbe, lease);
    return lastProbe;
  }

  /** Ignores calls that were no probe under a lease. */
  settle(probe: number, outcome: Outcome): void {
    const lease = this.#inUse.get(probe);
    this.#inUse.delete(probe);
    lease?.settle(outcome);
  }
}
