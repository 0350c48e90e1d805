import type { BulkheadStats } from "../resilience/bulkhead.ts";
import type { RateLimiter } from "../resilience/rate-limiter.ts";
import type { RetryBudget } from "../resilience/retry-budget.ts";
import type { Collector } from "./collector.ts";

/** How calls to one endpoint of a pool stand. */
export interface EndpointLoad {
  readonly endpoint: string;
  readonly inFlight: number;
  readonly ejected: boolean;
}

/** Policies that come and go with what they guard, by names that this program or its operator gives. */
export interface ObservedPolicies {
  readonly limiters: () => Iterable<Pick<RateLimiter, "name" | "rejections" | "clients">>;
  readonly bulkheads: () => Iterable<BulkheadStats>;
  readonly budgets: () => Iterable<readonly [name: string, Pick<RetryBudget, "spent" | "refused">]>;
  readonly pools: () => Iterable<{ readonly name: string; readonly endpoints: readonly EndpointLoad[] }>;
}

/** What policies other than breakers let through late or not at all. */
export function policyMetrics({ limiters, bulkheads, budgets, pools }: ObservedPolicies): readonly Collector[] {
  const ofEachBulkhead = (read: (stats: BulkheadStats) => number) => () =>
    Array.from(bulkheads(), (stats) => ({ labels: { bulkhead: stats.name }, value: read(stats) }));
  const ofEachEndpoint = (read: (endpoint: EndpointLoad) => number) => () =>
    Array.from(pools()).flatMap(({ name: pool, endpoints }) =>
      endpoints.map((health) => ({ labels: { pool, endpoint: health.endpoint }, value: read(health) })),
    );
  return [
    {
      name: "mcp_limiter_rejections_total",
      help: "Calls beyond their client's rate",
      type: "counter",
      read: () => Array.from(limiters(), ({ name, rejections }) => ({ labels: { limiter: name }, value: rejections })),
    },
    {
      name: "mcp_limiter_clients",
      help: "Clients that are told apart now",
      type: "gauge",
      read: () => Array.from(limiters(), ({ name, clients }) => ({ labels: { limiter: name }, value: clients })),
    },
    {
      name: "mcp_bulkhead_limit",
      help: "Calls that may be under way at the same time",
      type: "gauge",
      read: ofEachBulkhead(({ limit }) => limit),
    },
    {
      name: "mcp_bulkhead_in_flight",
      help: "Calls under way",
      type: "gauge",
      read: ofEachBulkhead(({ inFlight }) => inFlight),
    },
    {
      name: "mcp_bulkhead_queued",
      help: "Calls that wait for a slot",
      type: "gauge",
      read: ofEachBulkhead(({ queued }) => queued),
    },
    {
      name: "mcp_bulkhead_rejections_total",
      help: "Calls turned away: full (no room to wait) or queue-timeout (waited in vain)",
      type: "counter",
      read: () =>
        Array.from(bulkheads()).flatMap(({ name, rejections }) =>
          Object.entries(rejections).map(([reason, value]) => ({ labels: { bulkhead: name, reason }, value })),
        ),
    },
    {
      name: "mcp_retry_budget_repetitions_total",
      help: "Calls made again (spent), or not for want of budget (refused)",
      type: "counter",
      read: () =>
        Array.from(budgets()).flatMap(([name, { spent, refused }]) => [
          { labels: { budget: name, outcome: "spent" }, value: spent },
          { labels: { budget: name, outcome: "refused" }, value: refused },
        ]),
    },
    {
      name: "mcp_pool_endpoint_in_flight",
      help: "Calls under way to an endpoint of a pool",
      type: "gauge",
      read: ofEachEndpoint(({ inFlight }) => inFlight),
    },
    {
      name: "mcp_pool_endpoint_ejected",
      help: "1 while an endpoint of a pool gets no calls but those that find out whether it is back",
      type: "gauge",
      read: ofEachEndpoint(({ ejected }) => Number(ejected)),
    },
  ];
}
