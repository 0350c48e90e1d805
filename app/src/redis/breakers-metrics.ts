import { counter, gauge, type Collector } from "../telemetry/collector.ts";
import type { Sample } from "../telemetry/exposition.ts";
import type { SharedBreakers } from "./breakers.ts";

/**
 * Whether pods decide together, and the decisions that this one has received.
 *
 * @param shared - without it, the metrics have no values
 */
export function sharedBreakerMetrics(shared: SharedBreakers | undefined): readonly Collector[] {
  let changes = 0;
  shared?.changes.on(() => {
    changes += 1;
  });
  const ofThem = (samples: (shared: SharedBreakers) => readonly Sample[]) => () =>
    shared === undefined ? [] : samples(shared);
  return [
    gauge(
      "mcp_breaker_cluster_shared",
      "1 while pods decide together, 0 while this one decides alone",
      ofThem(({ isShared }) => [{ value: isShared ? 1 : 0 }]),
    ),
    gauge(
      "mcp_breaker_cluster_open",
      "Breakers that pods hold open together",
      ofThem(({ stats }) => [{ value: stats.open }]),
    ),
    counter(
      "mcp_breaker_cluster_changes_total",
      "Decisions of the pods that this one has received",
      ofThem(() => [{ value: changes }]),
    ),
    counter(
      "mcp_breaker_cluster_reports_total",
      "Reports that this pod has sent, by whether Redis took them",
      ofThem(({ stats: { reports, failed } }) => [
        { labels: { outcome: "received" }, value: reports - failed },
        { labels: { outcome: "failed" }, value: failed },
      ]),
    ),
  ];
}
