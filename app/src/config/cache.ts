import type { z } from "zod";
import { duration, wholeNumber } from "./kinds.ts";

/** What is kept so that it need not be computed or asked for again. */
export const cacheVariables = {
  CACHE_TTL: duration("1ms", "168h")
    .prefault("10m")
    .describe("How long what was computed once answers calls that ask for the same, give or take 10 %."),
  CACHE_MAX_BYTES: wholeNumber(65_536, 1024 ** 3)
    .prefault("16777216")
    .describe("Memory that each cache may take; what was used longest ago makes room."),
  CACHE_COMPRESS_ABOVE: wholeNumber(0, 1024 ** 2)
    .prefault("1024")
    .describe("Bytes above which a value is compressed before it goes to Redis."),
};

type Values = z.output<z.ZodObject<typeof cacheVariables>>;

export interface CacheConfig {
  /** Milliseconds. */
  readonly ttl: number;
  readonly maxBytes: number;
  readonly compressAbove: number;
}

export function cacheConfig(values: Values): CacheConfig {
  return {
    ttl: values.CACHE_TTL,
    maxBytes: values.CACHE_MAX_BYTES,
    compressAbove: values.CACHE_COMPRESS_ABOVE,
  };
}
