/** A command that was killed blocks the next one for this long. */
const LEASE_TTL_MS = 10_000;

export interface Taken {
  readonly epoch: number;
  /** How long the lease keeps others out without being renewed. */
  readonly ttlMs: number;
}

export interface Held {
  readonly holder: string;
  readonly secondsLeft: number;
  /** Changes whenever the holder renews. */
  readonly renewals: number;
}

interface Current {
  readonly epoch: number;
  readonly holder: string;
  renewals: number;
  expiresAt: number;
}

/**
 * The one lease of a host.
 *
 * An expired lease lets the next command in. Until one comes it stays its holder's, as in a cluster.
 */
export class Leases {
  readonly #ttlMs: number;
  #epoch = 0;
  #current: Current | undefined;

  constructor(ttlMs = LEASE_TTL_MS) {
    this.#ttlMs = ttlMs;
  }

  /** Who holds the lease; none if nobody does, or it has expired. */
  get holder(): string | undefined {
    return this.#current !== undefined && this.#current.expiresAt > performance.now()
      ? this.#current.holder
      : undefined;
  }

  take(holder: string, takeOver = false): Taken | Held {
    const now = performance.now();
    const current = this.#current;
    if (!takeOver && current !== undefined && current.expiresAt > now) {
      const { holder, renewals, expiresAt } = current;
      return { holder, renewals, secondsLeft: (expiresAt - now) / 1000 };
    }
    this.#epoch += 1;
    this.#current = { epoch: this.#epoch, holder, renewals: 0, expiresAt: now + this.#ttlMs };
    return { epoch: this.#epoch, ttlMs: this.#ttlMs };
  }

  /** False if another holder has the lease by now. */
  renew(epoch: number): boolean {
    if (this.#current?.epoch !== epoch) return false;
    this.#current.expiresAt = performance.now() + this.#ttlMs;
    this.#current.renewals += 1;
    return true;
  }

  giveBack(epoch: number): void {
    if (this.#current?.epoch === epoch) this.#current = undefined;
  }

  /** Whether this epoch is the last one: the fence of every change. */
  holds(epoch: number): boolean {
    return this.#current?.epoch === epoch;
  }
}
