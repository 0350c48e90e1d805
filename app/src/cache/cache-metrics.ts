import { counter, gauge, type Collector } from "../telemetry/collector.ts";
import type { Sample } from "../telemetry/exposition.ts";
import type { CacheStats } from "./cache-options.ts";
import type { Caches } from "./caches.ts";

/** The metrics of each cache. */
export function cacheMetrics(caches: Caches): readonly Collector[] {
  const each = (samples: (stats: CacheStats) => readonly Sample[]) => () =>
    caches.stats.flatMap((stats) =>
      samples(stats).map((sample) => ({ ...sample, labels: { cache: stats.name, ...sample.labels } })),
    );
  return [
    counter(
      "mcp_cache_requests_total",
      "Calls by outcome: hit, negative (a remembered error), stale, miss, or coalesced (waited for the load of another call)",
      each(({ hits, negativeHits, stale, misses, coalesced }) => [
        { labels: { outcome: "hit" }, value: hits },
        { labels: { outcome: "negative" }, value: negativeHits },
        { labels: { outcome: "stale" }, value: stale },
        { labels: { outcome: "miss" }, value: misses - coalesced },
        { labels: { outcome: "coalesced" }, value: coalesced },
      ]),
    ),
    counter(
      "mcp_cache_loads_total",
      "Loads of a value that was not there, by outcome: success or failure",
      each(({ loads, errors }) => [
        { labels: { outcome: "success" }, value: loads - errors },
        { labels: { outcome: "failure" }, value: errors },
      ]),
    ),
    counter(
      "mcp_cache_shared_total",
      "Questions to Redis and what became of them: hit, stale, miss, late (not waited for any longer), stored, refused (no room), error",
      each(({ shared }) => (shared === undefined ? [] : samplesOf({ ...shared }))),
    ),
    gauge(
      "mcp_cache_entries",
      "Values in memory",
      each(({ entries }) => [{ value: entries }]),
    ),
    gauge(
      "mcp_cache_bytes",
      "Memory that they take, estimated",
      each(({ bytes }) => [{ value: bytes }]),
    ),
    counter(
      "mcp_cache_evictions_total",
      "Values that had to make room",
      each(({ evictions }) => [{ value: evictions }]),
    ),
  ];
}

function samplesOf(counts: Readonly<Record<string, number>>): readonly Sample[] {
  return Object.entries(counts).map(([outcome, value]) => ({ labels: { outcome }, value }));
}
