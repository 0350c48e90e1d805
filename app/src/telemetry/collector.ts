import type { Sample } from "./exposition.ts";

/**
 * A metric whose numbers are stored elsewhere and read on a scrape, so that counting costs only a
 * `+= 1`. Passed to `Metrics.add`.
 *
 * `read` uses data in memory, and neither waits nor throws. Label values are names of this program
 * and never of a client.
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
  /** Starts with `mcp_` and ends in the unit, such as `_seconds`; a counter's ends in `_total`. */
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "gauge";
  readonly read: () => Iterable<Sample>;
}

/** A collector whose numbers only increase. */
export const counter = (name: string, help: string, read: Collector["read"]): Collector => ({
  name,
  help,
  type: "counter",
  read,
});

/** A collector whose numbers increase and decrease. */
export const gauge = (name: string, help: string, read: Collector["read"]): Collector => ({
  name,
  help,
  type: "gauge",
  read,
});
