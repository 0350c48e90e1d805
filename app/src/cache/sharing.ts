import type { z } from "zod";
import type { Redis } from "../redis/redis.ts";
import type { Breaker } from "../resilience/breaker.ts";

/** How a cache shares values with the same cache of other pods. */
export interface Sharing<V> {
  /** Raise it when values change their shape: versions of the app that differ in it share nothing. */
  readonly version: number;

  /** Shape of a value. Checked on each read, since others may write to Redis. Values are JSON. */
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
