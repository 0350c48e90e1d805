import type { z } from "zod";
import type { Redis } from "../redis/redis.ts";
import type { Breaker } from "../resilience/breaker.ts";

/** How a cache shares values with other pods. */
export interface Sharing<V> {
  /** To be raised when the shape of values changes: different versions share nothing. */
  readonly version: number;

  /** Shape of a value as JSON. Checked on each read, because others may write to Redis. */
  readonly schema: z.ZodType<V>;
}

export interface SharedTierOptions<V> extends Sharing<V> {
  readonly redis: Redis;
  readonly breaker: Breaker;
  /** The cache's name. */
  readonly name: string;
  /** Milliseconds that a value is useful after it was fresh. */
  readonly staleFor: number;
  /** Bytes of JSON above which an entry is compressed. @default 1024 */
  readonly compressAbove?: number;
  /** Milliseconds that a call waits for Redis before it loads the value. @default 1 */
  readonly timeout?: number;
}

/** A value that another pod stored. It is stale if `freshFor`, in milliseconds, is not positive. */
export interface SharedValue<V> {
  readonly value: V;
  readonly freshFor: number;
}

/** Counts of Redis commands since the start, by result. */
export interface SharedTierStats {
  readonly hit: number;
  readonly stale: number;
  readonly miss: number;
  /** Calls that stopped waiting for Redis. */
  readonly late: number;
  readonly stored: number;
  /** Values that were not stored, because Redis had no room or the value was too large. */
  readonly refused: number;
  /** Commands that failed, and entries in an unknown format. */
  readonly error: number;
}
