import type { Collector } from "../telemetry/collector.ts";
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
    {
      name: "mcp_breaker_cluster_shared",
      help: "1 while pods decide together, 0 while this one is on its own",
      type: "gauge",
      read: ofThem(({ isShared }) => [{ value: isShared ? 1 : 0 }]),
    },
    {
      name: "mcp_breaker_cluster_open",
      help: "Breakers that pods hold open together",
      type: "gauge",
      read: ofThem(({ stats }) => [{ value: stats.open }]),
    },
    {
      name: "mcp_breaker_cluster_changes_total",
      help: "Decisions of the pods that this one has received",
      type: "counter",
      read: ofThem(() => [{ value: changes }]),
    },
    {
      name: "mcp_breaker_cluster_reports_total",
      help: "Reports that this pod has sent, by whether Redis took them",
      type: "counter",
      read: ofThem(({ stats: { reports, failed } }) => [
        { labels: { outcome: "received" }, value: reports - failed },
        { labels: { outcome: "failed" }, value: failed },
      ]),
    },
  ];
}
