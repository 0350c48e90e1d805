import type { Call } from "../resilience/call.ts";
import type { Durability, Outcome, Write } from "./store.ts";

/** A write on its way from a queue to the store. */
export interface QueuedWrite {
  /** The queue's own name for it. */
  readonly id: string;
  readonly write: Write;
}

export interface Settlement {
  /** What the store has taken. */
  readonly taken: readonly string[];
  /** What it refuses. Another try may meet a store, or a version of this app, that does not; after the last it is a dead letter. */
  readonly refused: readonly { readonly id: string; readonly reason: string }[];
}

export interface QueueStats {
  readonly depth: number;
  /** Of the oldest write that waits, in microseconds since 1970. */
  readonly oldest: number | undefined;
  /** Writes that the store has refused for good. They are kept for people to look at. */
  readonly deadLetters: number;
}

/** Times that the store may refuse a write before it is a dead letter. */
export const MAX_REFUSALS = 5;

/** Writes of one owner that may wait, so that nobody fills a queue for all. */
export const MAX_OWNED = 1000;

export const OWNER_IS_FULL = `${MAX_OWNED} of your writes wait for the store already, which is down: try again later`;

/**
 * Takes writes while the store is down and keeps them until the store has them. Several processes may add to and empty the same queue; one
 * that dies at any point leaves nothing half done, only writes that another offers to the store again, which takes each once.
 */
export interface WriteQueue {
  readonly name: "redis" | "journal";

  /** Whether it is worth asking. */
  readonly available: boolean;

  /** @throws when it could not take the write for sure */
  add(write: Write, call: Call): Promise<Outcome & { readonly durability: Durability }>;

  /** The oldest writes, to be settled; what is not will be offered again. */
  take(limit: number): Promise<readonly QueuedWrite[]>;

  /** What was taken and cannot be brought to the store now: whoever takes next gets it first. */
  giveBack(ids: readonly string[]): Promise<unknown>;

  settle(settlement: Settlement): Promise<QueueStats>;
}
