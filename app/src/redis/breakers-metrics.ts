import { counter, gauge, ofEach, type Collector } from "../telemetry/collector.ts";
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
  const each = ofEach(
    () => (shared === undefined ? [] : [{ ...shared.stats, isShared: shared.isShared, changes }]),
    () => ({}),
  );
  return [
    gauge(
      "mcp_breaker_cluster_shared",
      "1 while pods decide together, 0 while this one decides alone",
      each.of("isShared"),
    ),
    gauge("mcp_breaker_cluster_open", "Breakers that pods hold open together", each.of("open")),
    counter(
      "mcp_breaker_cluster_changes_total",
      "Decisions of the pods that this one has received",
      each.of("changes"),
    ),
    counter(
      "mcp_breaker_cluster_reports_total",
      "Reports that this pod has sent, by whether Redis took them",
      each.by("outcome", ({ reports, failed }) => ({ received: reports - failed, failed })),
    ),
  ];
}
