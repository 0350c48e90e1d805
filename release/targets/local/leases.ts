import { randomUUID } from "node:crypto";

/** A command that was killed blocks the next one for no longer. */
const LEASE_TTL_MS = 10_000;

export interface Taken {
  readonly id: string;
  /** How long it holds without being renewed. */
  readonly ttlMs: number;
}

export interface Held {
  readonly holder: string;
  readonly secondsLeft: number;
}

/** The one lease of a host: whoever releases holds it, and keeps it by renewing. */
export class Leases {
  readonly #ttlMs: number;
  #current: { readonly id: string; readonly holder: string; expiresAt: number } | undefined;

  constructor(ttlMs = LEASE_TTL_MS) {
    this.#ttlMs = ttlMs;
  }

  /** Takes the lease, from whoever has it if it is to be taken over, or says who has it. */
  take(holder: string, takeOver = false): Taken | Held {
    const now = performance.now();
    if (!takeOver && this.#current !== undefined && this.#current.expiresAt > now) {
      return { holder: this.#current.holder, secondsLeft: (this.#current.expiresAt - now) / 1000 };
    }
    const id = randomUUID();
    this.#current = { id, holder, expiresAt: now + this.#ttlMs };
    return { id, ttlMs: this.#ttlMs };
  }

  /** False when the lease has lapsed or somebody else has it by now. */
  renew(id: string): boolean {
    const now = performance.now();
    if (this.#current?.id !== id || this.#current.expiresAt <= now) return false;
    this.#current.expiresAt = now + this.#ttlMs;
    return true;
  }

  giveBack(id: string): void {
    if (this.#current?.id === id) this.#current = undefined;
  }

  /** Whether this lease is the one in force; changes are refused to anyone else. */
  holds(id: string | undefined): boolean {
    return this.#current !== undefined && this.#current.id === id && this.#current.expiresAt > performance.now();
  }
}
