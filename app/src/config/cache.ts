import type { z } from "zod";
import { duration, list, wholeNumber } from "./kinds.ts";

/** Values that are loaded before a pod is ready. */
const MAX_WARM = 50;

const warm = list.transform((entries, context) =>
  entries.flatMap((entry, index) => {
    const [, source = "", argument = ""] = /^(fibonacci|prime_check|weather):(.{1,100})$/.exec(entry) ?? [];
    const isWhole = /^\d{1,15}$/.test(argument);
    if (index < MAX_WARM && source !== "" && (source === "weather" || isWhole)) return { source, argument };
    context.addIssue(
      `must be at most ${MAX_WARM} values such as 'fibonacci:1000', 'prime_check:97' or 'weather:Berlin'; '${entry}' is none or too many`,
    );
    return [];
  }),
);

export const cacheVariables = {
  CACHE_TTL: duration("1ms", "168h").prefault("10m").describe("Time for which a computed result is cached, ± 10 %."),
  CACHE_MAX_BYTES: wholeNumber(65_536, 1024 ** 3)
    .prefault("16777216")
    .describe("Memory of each cache in bytes; least recently used values are evicted."),
  CACHE_COMPRESS_ABOVE: wholeNumber(0, 1024 ** 2)
    .prefault("1024")
    .describe("Bytes above which a value is compressed before it goes to Redis."),
  CACHE_WARM: warm
    .prefault("")
    .describe(
      "Values that are cached before a pod is ready, within 10 s: `fibonacci:1000`, `prime_check:97`, `weather:Berlin`.",
    ),
};

type Values = z.output<z.ZodObject<typeof cacheVariables>>;

export function cacheConfig(values: Values) {
  return {
    ttl: values.CACHE_TTL,
    maxBytes: values.CACHE_MAX_BYTES,
    compressAbove: values.CACHE_COMPRESS_ABOVE,
    warm: values.CACHE_WARM,
  };
}
