import type { Sample } from "./exposition.ts";

/**
 * A metric whose numbers are kept elsewhere and read when somebody scrapes, so that counting costs the counted nothing more than its
 * own `+= 1`. Given to `Metrics.add`.
 *
 * `read` takes what is in memory: it neither waits nor throws. Labels are names that this program gives, never a client's.
 *
 * @example
 * metrics.add(
 *   counter("mcp_cache_requests_total", "Lookups, by how they were answered", () => [
 *     { labels: { cache: "weather", outcome: "hit" }, value: cache.stats.hits },
 *     { labels: { cache: "weather", outcome: "miss" }, value: cache.stats.misses },
 *   ]),
 *   gauge("mcp_deferred_writes", "Writes that wait for the store", () => [{ value: queue.depth }]),
 * );
 */
export interface Collector {
  /** Begins with `mcp_` and ends in the unit: `_seconds`, `_bytes`; a counter's in `_total`. */
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "gauge";
  readonly read: () => Iterable<Sample>;
}

/** A collector of numbers that only rise. */
export const counter = (name: string, help: string, read: Collector["read"]): Collector => ({
  name,
  help,
  type: "counter",
  read,
});

/** A collector of numbers that rise and fall. */
export const gauge = (name: string, help: string, read: Collector["read"]): Collector => ({
  name,
  help,
  type: "gauge",
  read,
});
