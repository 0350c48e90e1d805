import type { Call } from "../resilience/call.ts";

/** What a receipt promises: where a write stands, and what it outlives there. docs/store.md says what each kind of loss does to each. */
export type Durability =
  /** In memory: lost with the process. */
  | "process"
  /** Synced to a volume that is deleted with the pod. */
  | "pod"
  /** Synced to a volume that outlives the pod. */
  | "volume"
  /** In Redis, which appends it to a file and syncs that as it is configured to: by default, each second. */
  | "redis-aof"
  /** In Redis's memory; on disk when Redis takes its next snapshot, if it takes any. */
  | "redis-memory"
  /** In Redis, which does not tell what it persists. */
  | "redis-unknown";

/** One write as it was accepted. */
export interface Write {
  /** The record it writes. */
  readonly key: string;
  /** JSON text. */
  readonly value: string;
  /** Writes of one idempotency key are one write, however often they arrive. */
  readonly idempotencyKey: string;
  /** Equal for equal keys and values: tells a repetition from another write under its idempotency key. */
  readonly digest: string;
  /** When it was accepted, in microseconds since 1970; orders the writes of a record. See `HybridLogicalClock`. */
  readonly version: number;
}

/** What became of a write. */
export type Outcome =
  /** `replayed`: it had been taken before; `version` is that of the first time. */
  | { readonly kind: "taken"; readonly version: number; readonly replayed: boolean }
  /** The caller's error: its idempotency key belongs to another write, or its owner has no room. */
  | { readonly kind: "refused"; readonly reason: string };

/** What becomes of a write whose idempotency key has been seen before. */
export function repeated(before: Pick<Write, "digest" | "version">, { digest }: Pick<Write, "digest">): Outcome {
  if (before.digest === digest) return { kind: "taken", version: before.version, replayed: true };
  return {
    kind: "refused",
    reason: "the idempotency key was used before for another key or value: use a new one for a new write",
  };
}

/** The value of a record, and how it came about. */
export interface StoredRecord {
  /** JSON text. */
  readonly value: string;
  readonly version: number;
  /** Of the write that it is from. */
  readonly idempotencyKey: string;
  /** How many writes have changed it. */
  readonly revision: number;
}

/**
 * Where writes end up. Whatever it throws means that it is down; what it resolves to is as durable as it says.
 *
 * A write is taken once per idempotency key, whatever the number of calls.
 */
export interface Store {
  readonly durability: Durability;

  /**
   * Takes a write that is accepted by being stored. So it follows all that its record has seen: its version becomes higher than the
   * record's, where it was not.
   */
  put(write: Write, call: Call): Promise<Outcome>;

  get(key: string, call: Call): Promise<StoredRecord | undefined>;

  close(): Promise<void>;
}

/** A store that outlives the process, and so may be given what a queue has promised to keep. */
export interface DurableStore extends Store {
  /**
   * Takes writes that were accepted before. Among writes of one record the highest version wins, in whatever order they arrive: one whose
   * record has been written with a higher version changes nothing any more, and counts as taken. Equal versions are told apart by their
   * idempotency keys.
   */
  replay(writes: readonly Write[], call: Call): Promise<readonly Outcome[]>;

  /** Resolves when it could take a write. */
  ping(call: Call): Promise<unknown>;
}
