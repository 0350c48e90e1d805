import { counter, gauge, ofEach, type Collector } from "../telemetry/collector.ts";
import type { Caches } from "./caches.ts";

export function cacheMetrics(caches: Caches): readonly Collector[] {
  const each = ofEach(
    () => caches.stats,
    ({ name }) => ({ cache: name }),
  );
  return [
    counter(
      "mcp_cache_requests_total",
      "Calls by outcome: hit, negative (a remembered error), stale, miss, or coalesced (waited for the load of another call)",
      each.by("outcome", ({ hits, negativeHits, stale, misses, coalesced }) => {
        return { hit: hits, negative: negativeHits, stale, miss: misses - coalesced, coalesced };
      }),
    ),
    counter(
      "mcp_cache_loads_total",
      "Loads of a value that was not there, by outcome: success or failure",
      each.by("outcome", ({ loads, errors }) => ({ success: loads - errors, failure: errors })),
    ),
    counter(
      "mcp_cache_shared_total",
      "Questions to Redis and what became of them: hit, stale, miss, late (not waited for any longer), stored, refused (no room), error",
      each.by("outcome", ({ shared }) => ({ ...shared })),
    ),
    gauge("mcp_cache_entries", "Values in memory", each.of("entries")),
    gauge("mcp_cache_bytes", "Memory that they take, estimated", each.of("bytes")),
    counter("mcp_cache_evictions_total", "Values that had to make room", each.of("evictions")),
  ];
}
