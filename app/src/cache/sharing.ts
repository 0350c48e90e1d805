import type { z } from "zod";
import type { Redis } from "../redis/redis.ts";
import type { Breaker } from "../resilience/breaker.ts";

/** What a cache shares with the same cache of other pods. */
export interface Sharing<V> {
  /** Raised when values change their shape: two versions of the app that differ in it never read each other's. */
  readonly version: number;

  /** What a value from Redis must look like, since anybody may have written it. Values are JSON. */
  readonly schema: z.ZodType<V>;
}

export interface SharedTierOptions<V> extends Sharing<V> {
  readonly redis: Redis;
  /** Of the calls to Redis. */
  readonly breaker: Breaker;
  /** The cache's name. */
  readonly name: string;
  /** Milliseconds that a value is of use after it was fresh. */
  readonly staleFor: number;
  /** Bytes of JSON above which an entry is compressed. @default 1024 */
  readonly compressAbove?: number;
  /** Milliseconds that a call waits for Redis before it loads by itself. @default 1 */
  readonly timeout?: number;
}

/** A value that another pod stored; stale where `freshFor`, in milliseconds, is not above 0. */
export interface SharedValue<V> {
  readonly value: V;
  readonly freshFor: number;
}

/** Counts since the process started, by what became of asking Redis. */
export interface SharedTierStats {
  readonly hit: number;
  readonly stale: number;
  readonly miss: number;
  /** Calls that did not wait for Redis any longer. */
  readonly late: number;
  readonly stored: number;
  /** Values that were not stored: Redis had no room, or the value was too large. */
  readonly refused: number;
  /** Commands that failed and entries that were none of ours, each once. */
  readonly error: number;
}
