import type { Call } from "../resilience/call.ts";

/** Durability of a write: the losses that it survives. See docs/store.md. */
export const DURABILITIES = [
  "process", // in memory: lost with the process
  "pod", // synced to a volume that is deleted with the pod
  "volume", // synced to a volume that outlives the pod
  "redis-aof", // in Redis with an append-only file, synced as configured, by default each second
  "redis-memory", // in Redis's memory, and in its next snapshot if there are snapshots
  "redis-unknown", // in Redis with unknown persistence
] as const;

export type Durability = (typeof DURABILITIES)[number];

/** An accepted write. */
export interface Write {
  readonly key: string;
  /** JSON text. */
  readonly value: string;
  /** Writes with one idempotency key are one write. */
  readonly idempotencyKey: string;
  /** Equal for equal keys and values. Distinguishes a repetition from another write. */
  readonly digest: string;
  /** Time of acceptance in microseconds since 1970. See `HybridLogicalClock`. */
  readonly version: number;
}

export type Outcome =
  /** `replayed`: a repetition; `version` is that of the first write. */
  | { readonly kind: "taken"; readonly version: number; readonly replayed: boolean }
  /** The caller's error: the idempotency key belongs to another write, or the owner has no room. */
  | { readonly kind: "refused"; readonly reason: string };

/** The result of a write whose idempotency key was used before. */
export function repeated(before: Pick<Write, "digest" | "version">, { digest }: Pick<Write, "digest">): Outcome {
  if (before.digest === digest) return { kind: "taken", version: before.version, replayed: true };
  return {
    kind: "refused",
    reason: "the idempotency key was used before for another key or value: use a new one for a new write",
  };
}

export interface StoredRecord {
  /** JSON text. */
  readonly value: string;
  readonly version: number;
  /** Of its latest write. */
  readonly idempotencyKey: string;
  /** Number of writes that have changed it. */
  readonly revision: number;
}

/**
 * A store for records. An error means that it is down. Results are as durable as `durability` says.
 *
 * Writes with one idempotency key take effect once.
 */
export interface Store {
  readonly durability: Durability;

  /**
   * Takes a new write. It follows all earlier writes of its record: its version is raised above the
   * record's, if necessary.
   */
  put(write: Write, call: Call): Promise<Outcome>;

  get(key: string, call: Call): Promise<StoredRecord | undefined>;

  close(): Promise<void>;
}

/** A store that survives the process, for writes from queues. */
export interface DurableStore extends Store {
  /**
   * Takes writes that were accepted earlier. The write with the highest version of a record stays,
   * in any order of arrival; an older one counts as taken without effect. Idempotency keys order
   * equal versions.
   */
  replay(writes: readonly Write[], call: Call): Promise<readonly Outcome[]>;

  /** Resolves if it could take a write. */
  ping(call: Call): Promise<unknown>;
}
