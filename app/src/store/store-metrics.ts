import type { Collector } from "../telemetry/collector.ts";
import type { Drain } from "./drain.ts";
import type { ResilientStore } from "./resilient-store.ts";

/** What waits for the store, as of the last look at each queue. */
export function storeMetrics(store: ResilientStore, drains: readonly Drain[]): readonly Collector[] {
  const ofEach = (read: (drain: Drain) => number) => () =>
    drains.map((drain) => ({ labels: { queue: drain.queue }, value: read(drain) }));
  return [
    {
      name: "mcp_store_deferred_writes_total",
      help: "Writes that a queue took from this process in place of the store",
      type: "counter",
      read: () => drains.map(({ queue }) => ({ labels: { queue }, value: store.deferred[queue] })),
    },
    {
      name: "mcp_store_queue_depth",
      help: "Writes that wait for the store; pods that share a queue all show it",
      type: "gauge",
      read: ofEach(({ stats }) => stats.depth),
    },
    {
      name: "mcp_store_queue_oldest_age_seconds",
      help: "How long the oldest of them has been waiting",
      type: "gauge",
      read: ofEach(({ stats }) =>
        stats.oldest === undefined ? 0 : Math.max(0, Date.now() / 1000 - stats.oldest / 1e6),
      ),
    },
    {
      name: "mcp_store_dead_letters",
      help: "Writes that the store has refused for good, kept for people to look at",
      type: "gauge",
      read: ofEach(({ stats }) => stats.deadLetters),
    },
  ];
}
