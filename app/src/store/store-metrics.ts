import { counter, gauge, type Collector } from "../telemetry/collector.ts";
import type { Drain } from "./drain.ts";
import type { ResilientStore } from "./resilient-store.ts";

/** Writes that wait for the store, as of the last check of each queue. */
export function storeMetrics(store: ResilientStore, drains: readonly Drain[]): readonly Collector[] {
  const ofEach = (read: (drain: Drain) => number) => () =>
    drains.map((drain) => ({ labels: { queue: drain.queue }, value: read(drain) }));
  return [
    counter("mcp_store_deferred_writes_total", "Writes that a queue took from this process in place of the store", () =>
      drains.map(({ queue }) => ({ labels: { queue }, value: store.deferred[queue] })),
    ),
    gauge(
      "mcp_store_queue_depth",
      "Writes that wait for the store; pods that share a queue all show it",
      ofEach(({ stats }) => stats.depth),
    ),
    gauge(
      "mcp_store_queue_oldest_age_seconds",
      "How long the oldest of them has been waiting",
      ofEach(({ stats }) => (stats.oldest === undefined ? 0 : Math.max(0, Date.now() / 1000 - stats.oldest / 1e6))),
    ),
    gauge(
      "mcp_store_dead_letters",
      "Writes that the store has refused for good, kept for people to look at",
      ofEach(({ stats }) => stats.deadLetters),
    ),
  ];
}
