import type { z } from "zod";
import type { Breaker } from "../resilience/breaker.ts";
import type { Time } from "../resilience/time.ts";
import type { Redis } from "../redis/redis.ts";
import type { LEASE } from "./scripts/look-up.ts";

/** What a cache shares with the same cache of other pods. */
export interface Sharing<V> {
  /** Raised when values change their shape: two versions of the app that differ in it never read each other's. */
  readonly version: number;

  /** What a value from Redis must look like, since anybody may have written it. Values are JSON. */
  readonly schema: z.ZodType<V>;

  /**
   * Milliseconds that a call may wait for Redis before it loads by itself. More than the least is for what takes seconds to load and should
   * be loaded once even by pods that are busy: while Redis hangs, it is what the first calls lose.
   *
   * @default 1
   */
  readonly patience?: number;
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
  /** @default SYSTEM_TIME */
  readonly time?: Time;
}

/** A value that another pod stored; stale where `freshFor`, in milliseconds, is not above 0. */
export interface SharedValue<V> {
  readonly value: V;
  readonly freshFor: number;
}

/** What Redis said of an entry, not looked into yet. */
export interface Look {
  readonly lease: (typeof LEASE)[keyof typeof LEASE];
  readonly freshFor: number;
  readonly entry: Buffer | undefined;
}

/** `forgotten`: another pod invalidated it. `doubtful`: invalidations may have been missed. */
export type SharedTierEvent = { readonly type: "forgotten"; readonly key: string } | { readonly type: "doubtful" };

/** What a load hears of other pods. `failed`: who loaded gave up. `stored`: there is a value. `away`: Redis is gone. */
export type News = "stored" | "failed" | "away";

/** Counts since the process started, by what became of asking Redis. */
export interface SharedTierStats {
  readonly hit: number;
  readonly stale: number;
  readonly miss: number;
  /** Calls that waited for another pod's load. */
  readonly followed: number;
  /** Calls that did not wait for Redis any longer. */
  readonly late: number;
  readonly stored: number;
  /** Values that were not stored: Redis had no room, or the value was too large. */
  readonly refused: number;
  /** Commands that failed and entries that were none of ours. */
  readonly error: number;
}
