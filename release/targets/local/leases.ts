import { randomUUID } from "node:crypto";

/** How long a lease holds without being renewed; a command that was killed blocks the next one for no longer. */
export const LEASE_TTL_MS = 10_000;

export interface Held {
  readonly holder: string;
  readonly secondsLeft: number;
}

/** The one lease of a host: whoever releases holds it, and keeps it by renewing. */
export class Leases {
  #current: { readonly id: string; readonly holder: string; expiresAt: number } | undefined;

  /** Takes the lease, or says who has it. */
  take(holder: string): { readonly id: string } | Held {
    const now = performance.now();
    if (this.#current !== undefined && this.#current.expiresAt > now) {
      return { holder: this.#current.holder, secondsLeft: (this.#current.expiresAt - now) / 1000 };
    }
    const id = randomUUID();
    this.#current = { id, holder, expiresAt: now + LEASE_TTL_MS };
    return { id };
  }

  /** False when the lease has lapsed or somebody else has it by now. */
  renew(id: string): boolean {
    const now = performance.now();
    if (this.#current?.id !== id || this.#current.expiresAt <= now) return false;
    this.#current.expiresAt = now + LEASE_TTL_MS;
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
