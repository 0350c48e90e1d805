import type { BulkheadStats } from "../resilience/bulkhead.ts";
import type { RateLimiter } from "../resilience/rate-limiter.ts";
import type { RetryBudget } from "../resilience/retry-budget.ts";
import { counter, gauge, type Collector } from "./collector.ts";

/** Load of one endpoint of a pool. */
export interface EndpointLoad {
  readonly endpoint: string;
  readonly inFlight: number;
  readonly ejected: boolean;
}

/** Policies with names of this program or its operator. */
export interface ObservedPolicies {
  readonly limiters: () => Iterable<Pick<RateLimiter, "name" | "rejections" | "clients">>;
  readonly bulkheads: () => Iterable<BulkheadStats>;
  readonly budgets: () => Iterable<readonly [name: string, Pick<RetryBudget, "spent" | "refused">]>;
  readonly pools: () => Iterable<{ readonly name: string; readonly endpoints: readonly EndpointLoad[] }>;
}

/** Metrics of all policies except breakers. */
export function policyMetrics({ limiters, bulkheads, budgets, pools }: ObservedPolicies): readonly Collector[] {
  const ofEachBulkhead = (read: (stats: BulkheadStats) => number) => () =>
    Array.from(bulkheads(), (stats) => ({ labels: { bulkhead: stats.name }, value: read(stats) }));
  const ofEachEndpoint = (read: (endpoint: EndpointLoad) => number) => () =>
    Array.from(pools()).flatMap(({ name: pool, endpoints }) =>
      endpoints.map((health) => ({ labels: { pool, endpoint: health.endpoint }, value: read(health) })),
    );
  return [
    counter("mcp_limiter_rejections_total", "Calls beyond their client's rate", () =>
      Array.from(limiters(), ({ name, rejections }) => ({ labels: { limiter: name }, value: rejections })),
    ),
    gauge("mcp_limiter_clients", "Clients that are told apart now", () =>
      Array.from(limiters(), ({ name, clients }) => ({ labels: { limiter: name }, value: clients })),
    ),
    gauge(
      "mcp_bulkhead_limit",
      "Calls that may be under way at the same time",
      ofEachBulkhead(({ limit }) => limit),
    ),
    gauge(
      "mcp_bulkhead_in_flight",
      "Calls under way",
      ofEachBulkhead(({ inFlight }) => inFlight),
    ),
    gauge(
      "mcp_bulkhead_queued",
      "Calls that wait for a slot",
      ofEachBulkhead(({ queued }) => queued),
    ),
    counter(
      "mcp_bulkhead_rejections_total",
      "Rejected calls: full (no room to wait) or queue-timeout (waited too long)",
      () =>
        Array.from(bulkheads()).flatMap(({ name, rejections }) =>
          Object.entries(rejections).map(([reason, value]) => ({ labels: { bulkhead: name, reason }, value })),
        ),
    ),
    counter("mcp_retry_budget_repetitions_total", "Calls made again (spent), or not for want of budget (refused)", () =>
      Array.from(budgets()).flatMap(([name, { spent, refused }]) => [
        { labels: { budget: name, outcome: "spent" }, value: spent },
        { labels: { budget: name, outcome: "refused" }, value: refused },
      ]),
    ),
    gauge(
      "mcp_pool_endpoint_in_flight",
      "Calls under way to an endpoint of a pool",
      ofEachEndpoint(({ inFlight }) => inFlight),
    ),
    gauge(
      "mcp_pool_endpoint_ejected",
      "1 while an endpoint of a pool gets no calls but those that find out whether it is back",
      ofEachEndpoint(({ ejected }) => Number(ejected)),
    ),
  ];
}
