import type { Labels, Sample } from "./exposition.ts";

/**
 * A metric whose numbers are stored elsewhere and read on a scrape, so that counting costs only a
 * `+= 1`. Passed to `Metrics.add`.
 *
 * `read` uses data in memory, and neither waits nor throws. Label values are names of this program
 * and never of a client.
 *
 * @example
 * const each = ofEach(() => caches.stats, ({ name }) => ({ cache: name }));
 * metrics.add(
 *   counter("mcp_cache_requests_total", "Lookups", each.by("outcome", ({ hits, misses }) => ({ hit: hits, miss: misses }))),
 *   gauge("mcp_cache_entries", "Values in memory", each.of("entries")),
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

/** Reads the numbers of several items, each with its labels. */
export function ofEach<Item extends object>(items: () => Iterable<Item>, labels: (item: Item) => Labels) {
  return {
    of: (property: keyof Item) => () =>
      Array.from(items(), (item) => ({ labels: labels(item), value: Number(item[property]) })),
    by: (label: string, numbers: (item: Item) => Readonly<Record<string, number>>) => () =>
      Array.from(items()).flatMap((item) =>
        Object.entries(numbers(item)).map(([kind, value]) => ({ labels: { ...labels(item), [label]: kind }, value })),
      ),
  };
}
