import { counter, gauge, ofEach, type Collector } from "../telemetry/collector.ts";
import type { Drain } from "./drain.ts";
import type { ResilientStore } from "./resilient-store.ts";

/** Writes that wait for the store, as of the last check of each queue. */
export function storeMetrics(store: ResilientStore, drains: readonly Drain[]): readonly Collector[] {
  const each = ofEach(
    () => drains.map(({ queue, stats }) => ({ ...stats, queue, deferred: store.deferred[queue], age: age(stats) })),
    ({ queue }) => ({ queue }),
  );
  return [
    counter(
      "mcp_store_deferred_writes_total",
      "Writes that a queue took from this process in place of the store",
      each.of("deferred"),
    ),
    gauge(
      "mcp_store_queue_depth",
      "Writes that wait for the store; pods that share a queue all show it",
      each.of("depth"),
    ),
    gauge("mcp_store_queue_oldest_age_seconds", "How long the oldest of them has been waiting", each.of("age")),
    gauge(
      "mcp_store_dead_letters",
      "Writes that the store has refused for good, kept for people to look at",
      each.of("deadLetters"),
    ),
  ];
}

/** Seconds since the oldest write was accepted. */
function age({ oldest }: Drain["stats"]): number {
  return oldest === undefined ? 0 : Math.max(0, Date.now() / 1000 - oldest / 1e6);
}
