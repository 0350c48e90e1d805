import type { Time } from "../resilience/time.ts";
import type { SharedTierStats } from "./sharing.ts";

/** What can be kept: anything but `undefined`, which says that there is nothing. */
export type Cacheable = string | number | bigint | boolean | object | null;

export interface CacheOptions {
  readonly name: string;

  /** Milliseconds that a value is fresh, that is, answers without a question. 0 for values that only ever stand in. */
  readonly ttl: number;

  /** The part of `ttl` that is left to chance, so that what was loaded together does not become old together; 0 to 1. @default 0.1 */
  readonly jitter?: number;

  /** Milliseconds, after it was fresh, that a value still answers at once while a new one is loaded. @default 0 */
  readonly staleWhileRevalidate?: number;

  /** Milliseconds, after it was fresh, that a value stands in for one that cannot be loaded. @default 0 */
  readonly staleIfError?: number;

  /** @default - errors are not remembered */
  readonly negative?: NegativeCaching;

  /** Milliseconds that a value may take to load. @default 30 s */
  readonly timeout?: number;

  /** Bytes of memory that values, keys and what is kept about them may take; those used longest ago go first. @default 16 MiB */
  readonly maxBytes?: number;

  /** @default SYSTEM_TIME */
  readonly time?: Time;

  /** From 0 to 1, excluding 1. @default Math.random */
  readonly random?: () => number;
}

/** Errors that are answers: that there is no such thing, say. */
export interface NegativeCaching {
  /** Whether an error says something of what was asked for, and not of who was asked. No older value stands in for it. */
  readonly isAnswer: (error: unknown) => boolean;

  /** Milliseconds that it is given again without asking. */
  readonly ttl: number;
}

/**
 * A value and where it comes from. `memory`: this process had it, fresh. `shared`: another one loaded it. `computed`: it was loaded for this
 * call, or for one at the same time. `stale`: it is older than it should be, while a new one is loaded or because that failed.
 */
export interface Found<V> {
  readonly value: V;
  readonly source: "memory" | "shared" | "computed" | "stale";
}

/** Counts since the process started, and what is kept now. */
export interface CacheStats {
  readonly name: string;
  readonly entries: number;
  /** Of memory, estimated. */
  readonly bytes: number;
  readonly hits: number;
  /** Calls that were answered with an error that is remembered. */
  readonly negativeHits: number;
  /** Calls that were answered with a value that is not fresh. */
  readonly stale: number;
  readonly misses: number;
  /** Of the misses: calls that waited for a load which another one had begun. */
  readonly coalesced: number;
  readonly loads: number;
  /** Of the loads: those that failed, other than with an answer. */
  readonly errors: number;
  /** Values that had to make room. */
  readonly evictions: number;
  /** What became of asking Redis; absent where nothing is shared. */
  readonly shared?: SharedTierStats;
}
