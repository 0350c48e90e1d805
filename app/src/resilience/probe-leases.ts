import type { Outcome } from "./breaker-options.ts";

/** Stands for a generation where a call was not let through. */
export const REJECTED = -1;

/** The right to make one probe, granted by Redis, which counts the probes of all pods. */
export interface ProbeLease {
  /** Until when the probe may begin, on the breaker's time. */
  readonly useBy: number;
  /** How the probe went; `nothing` when its caller went away, and the lease may be lent again. Not called for one that is not used. */
  settle(outcome: Outcome): void;
}

/** The pods' decision that a breaker is open. */
export interface HeldOpen {
  /** Milliseconds until there are probes; Infinity until an operator closes it. */
  readonly remaining: number;
  /** Times that it has opened since it was closed, this time included. */
  readonly openings: number;
  /** Called for each call that is rejected meanwhile, so it has to be quick. */
  readonly rejected: () => void;
}

/** Of all breakers, so that no call is ever taken for one of another episode. Counts down: what counts up are a breaker's own generations. */
let lastProbe = REJECTED;

/** The probe leases of an open breaker whose own recovery time does not count: it lets probes through under these, and nothing else. */
export class ProbeLeases {
  readonly rejected: () => void;
  readonly #unused: ProbeLease[] = [];
  readonly #inUse: Map<number, ProbeLease>;

  /** @param before - what the pods held open until now: probes that are under way end after it, and are still told of */
  constructor({ rejected }: HeldOpen, before?: ProbeLeases) {
    this.rejected = rejected;
    this.#inUse = before === undefined ? new Map<number, ProbeLease>() : before.#inUse;
  }

  /** The probes that are under way. */
  get underWay(): Set<number> {
    return new Set(this.#inUse.keys());
  }

  add(lease: ProbeLease): void {
    this.#unused.push(lease);
  }

  /** Takes a lease back; false when a probe is under way under it, or it is not here. */
  remove(lease: ProbeLease): boolean {
    const index = this.#unused.indexOf(lease);
    if (index !== -1) this.#unused.splice(index, 1);
    return index !== -1;
  }

  /** Begins a probe: a number under which to say how it went, or REJECTED. */
  use(now: number): number {
    const index = this.#unused.findIndex(({ useBy }) => now <= useBy);
    const [lease] = index === -1 ? [] : this.#unused.splice(index, 1);
    if (lease === undefined) return REJECTED;
    lastProbe -= 1;
    this.#inUse.set(lastProbe, lease);
    return lastProbe;
  }

  /** What belongs to no probe that was lent changes nothing. */
  settle(probe: number, outcome: Outcome): void {
    const lease = this.#inUse.get(probe);
    this.#inUse.delete(probe);
    lease?.settle(outcome);
  }
}
