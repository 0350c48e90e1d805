import type { Sample } from "./exposition.ts";

/**
 * A metric whose numbers are kept elsewhere and read when somebody scrapes, so that counting costs the counted nothing more than its
 * own `+= 1`. Given to `Metrics.add`.
 *
 * `read` takes what is in memory: it neither waits nor throws. Labels are names that this program gives, never a client's.
 *
 * @example
 * metrics.add(
 *   {
 *     name: "mcp_cache_requests_total",
 *     help: "Lookups, by how they were answered",
 *     type: "counter",
 *     read: () => [
 *       { labels: { cache: "weather", outcome: "hit" }, value: cache.stats.hits },
 *       { labels: { cache: "weather", outcome: "miss" }, value: cache.stats.misses },
 *     ],
 *   },
 *   {
 *     name: "mcp_deferred_writes",
 *     help: "Writes that wait for the store",
 *     type: "gauge",
 *     read: () => [{ value: queue.depth }],
 *   },
 * );
 */
export interface Collector {
  /** Begins with `mcp_` and ends in the unit: `_seconds`, `_bytes`; a counter's in `_total`. */
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "gauge";
  readonly read: () => Iterable<Sample>;
}
