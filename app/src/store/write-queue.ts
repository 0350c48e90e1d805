import type { Call } from "../resilience/call.ts";
import type { Durability, Outcome, Write } from "./store.ts";

export interface QueuedWrite {
  readonly id: string;
  readonly write: Write;
}

export interface Settlement {
  readonly taken: readonly string[];
  /**
   * Writes that the store has refused. They are tried again, perhaps with another version of this
   * app, and finally become dead letters.
   */
  readonly refused: readonly { readonly id: string; readonly reason: string }[];
}

export interface QueueStats {
  readonly depth: number;
  /** Version of the oldest write that waits, in microseconds since 1970. */
  readonly oldest: number | undefined;
  /** Writes that the store has refused permanently, kept for operators. */
  readonly deadLetters: number;
}

/** Refusals after which a write is a dead letter. */
export const MAX_REFUSALS = 5;

/** Waiting writes of one owner, so that no owner can fill a queue. */
export const MAX_OWNED = 1000;

export const OWNER_IS_FULL = `${MAX_OWNED} of your writes wait for the store already, which is down: try again later`;

/**
 * A queue for writes while the store is down. Several processes may use it. A process that dies
 * leaves no partial result: another process offers its writes to the store again, and each takes
 * effect once.
 */
export interface WriteQueue {
  readonly name: "redis" | "journal";

  /** Whether it can take writes. */
  readonly available: boolean;

  /** @throws when the write may not have been taken */
  add(write: Write, call: Call): Promise<Outcome & { readonly durability: Durability }>;

  /** The oldest writes. Writes that are not settled are offered again. */
  take(limit: number): Promise<readonly QueuedWrite[]>;

  /** Returns writes that cannot be moved to the store now. They are offered first. */
  giveBack(ids: readonly string[]): Promise<unknown>;

  settle(settlement: Settlement): Promise<QueueStats>;
}
