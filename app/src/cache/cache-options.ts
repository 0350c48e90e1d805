import type { Time } from "../resilience/time.ts";
import type { SharedTier } from "./shared-tier.ts";

/** A value for a cache; `undefined` means that there is none. */
export type Cacheable = string | number | bigint | boolean | object | null;

export interface CacheOptions {
  readonly name: string;

  /** Milliseconds that a value is fresh; 0 for values that are only used after failures. */
  readonly ttl: number;

  /** Random part of `ttl`, 0 to 1, so that values loaded together expire apart. @default 0.1 */
  readonly jitter?: number;

  /** Milliseconds that a stale value is returned while a new one is loaded. @default 0 */
  readonly staleWhileRevalidate?: number;

  /** Milliseconds that a stale value is returned when loading fails. @default 0 */
  readonly staleIfError?: number;

  /** @default - errors are not cached */
  readonly negative?: NegativeCaching;

  /** Time limit for loading a value, in milliseconds. @default 30 s */
  readonly timeout?: number;

  /** Bytes of keys and values in memory; least recently used ones are evicted. @default 16 MiB */
  readonly maxBytes?: number;

  readonly time?: Time;

  /** From 0 to 1, excluding 1. @default Math.random */
  readonly random?: () => number;
}

/** Caches errors that are answers. */
export interface NegativeCaching {
  /** Whether an error is an answer, such as "no such city". No stale value replaces it. */
  readonly isAnswer: (error: unknown) => boolean;

  /** Milliseconds for which it is cached. */
  readonly ttl: number;
}

/**
 * A value and its source. `memory`: a fresh value of this process. `shared`: loaded by another
 * process. `computed`: loaded now, by this call or a concurrent one. `stale`: no longer fresh,
 * while a new one is loaded or because that failed.
 */
export interface Found<V> {
  readonly value: V;
  readonly source: "memory" | "shared" | "computed" | "stale";
}

/** Counts since the start, and the current size. */
export interface CacheStats {
  readonly name: string;
  readonly entries: number;
  /** Estimated memory. */
  readonly bytes: number;
  readonly hits: number;
  /** Calls answered with a cached error. */
  readonly negativeHits: number;
  readonly stale: number;
  readonly misses: number;
  /** Misses that joined the load of another call. */
  readonly coalesced: number;
  readonly loads: number;
  /** Failed loads, without errors that are answers. */
  readonly errors: number;
  readonly evictions: number;
  readonly shared?: Readonly<SharedTier<never>["counts"]>;
}
