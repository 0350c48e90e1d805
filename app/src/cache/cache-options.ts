import type { Time } from "../resilience/time.ts";
import type { SharedTierStats } from "./sharing.ts";

/** A value that can be kept: anything but `undefined`, which means that there is none. */
export type Cacheable = string | number | bigint | boolean | object | null;

export interface CacheOptions {
  readonly name: string;

  /** Milliseconds that a value is fresh; 0 for values that only stand in for failed loads. */
  readonly ttl: number;

  /** Random part of `ttl`, 0 to 1, so that values loaded together expire apart. @default 0.1 */
  readonly jitter?: number;

  /** Milliseconds that a stale value still answers while a new one is loaded. @default 0 */
  readonly staleWhileRevalidate?: number;

  /** Milliseconds that a stale value stands in for one that cannot be loaded. @default 0 */
  readonly staleIfError?: number;

  /** @default - errors are not remembered */
  readonly negative?: NegativeCaching;

  /** Milliseconds that a value may take to load. @default 30 s */
  readonly timeout?: number;

  /** Bytes of memory for values and keys; the least recently used go first. @default 16 MiB */
  readonly maxBytes?: number;

  /** @default SYSTEM_TIME */
  readonly time?: Time;

  /** From 0 to 1, excluding 1. @default Math.random */
  readonly random?: () => number;
}

/** Errors that are answers: that there is no such thing, say. */
export interface NegativeCaching {
  /** Whether an error is an answer, such as "no such city". No older value stands in for it. */
  readonly isAnswer: (error: unknown) => boolean;

  /** Milliseconds that it is given again without asking. */
  readonly ttl: number;
}

/**
 * A value and its source. `memory`: this process had it, fresh. `shared`: another process loaded it.
 * `computed`: it was loaded for this call, or for one at the same time. `stale`: it is no longer fresh,
 * while a new one is loaded or because that failed.
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
  /** Counts of the shared tier; absent where nothing is shared. */
  readonly shared?: SharedTierStats;
}
