import type { BulkheadStats } from "../resilience/bulkhead.ts";
import type { EndpointHealth } from "../resilience/load-balancer.ts";
import type { RateLimiter } from "../resilience/rate-limiter.ts";
import type { RetryBudget } from "../resilience/retry-budget.ts";
import { counter, gauge, ofEach, type Collector } from "./collector.ts";

/** Policies with names of this program or its operator. */
export interface ObservedPolicies {
  readonly limiters: () => Iterable<Pick<RateLimiter, "name" | "rejections" | "clients">>;
  readonly bulkheads: () => Iterable<BulkheadStats>;
  readonly budgets: () => Iterable<readonly [name: string, Pick<RetryBudget, "spent" | "refused">]>;
  readonly pools: () => Iterable<{ readonly name: string; readonly endpoints: readonly EndpointHealth[] }>;
}

/** Metrics of all policies except breakers. */
export function policyMetrics({ limiters, bulkheads, budgets, pools }: ObservedPolicies): readonly Collector[] {
  const limiter = ofEach(limiters, ({ name }) => ({ limiter: name }));
  const bulkhead = ofEach(bulkheads, ({ name }) => ({ bulkhead: name }));
  const budget = ofEach(budgets, ([name]) => ({ budget: name }));
  const endpoint = ofEach(
    () => Array.from(pools()).flatMap(({ name, endpoints }) => endpoints.map((one) => ({ ...one, pool: name }))),
    ({ pool, endpoint: origin }) => ({ pool, endpoint: origin }),
  );
  return [
    counter("mcp_limiter_rejections_total", "Calls beyond their client's rate", limiter.of("rejections")),
    gauge("mcp_limiter_clients", "Clients that are told apart now", limiter.of("clients")),
    gauge("mcp_bulkhead_limit", "Calls that may be under way at the same time", bulkhead.of("limit")),
    gauge("mcp_bulkhead_in_flight", "Calls under way", bulkhead.of("inFlight")),
    gauge("mcp_bulkhead_queued", "Calls that wait for a slot", bulkhead.of("queued")),
    counter(
      "mcp_bulkhead_rejections_total",
      "Rejected calls: full (no room to wait) or queue-timeout (waited too long)",
      bulkhead.by("reason", ({ rejections }) => rejections),
    ),
    counter(
      "mcp_retry_budget_repetitions_total",
      "Calls made again (spent), or not for want of budget (refused)",
      budget.by("outcome", ([, { spent, refused }]) => ({ spent, refused })),
    ),
    gauge("mcp_pool_endpoint_in_flight", "Calls under way to an endpoint of a pool", endpoint.of("inFlight")),
    gauge(
      "mcp_pool_endpoint_ejected",
      "1 while an endpoint of a pool gets no calls but those that find out whether it is back",
      endpoint.of("ejected"),
    ),
  ];
}
