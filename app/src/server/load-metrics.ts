import type { Collector } from "../telemetry/collector.ts";
import type { Admission } from "./admission.ts";
import type { BodyBudget } from "./body-budget.ts";

/** Load that this server sheds, and the memory that request bodies take. */
export function loadMetrics(admission: Admission, bodies: BodyBudget): readonly Collector[] {
  return [
    {
      name: "mcp_server_shed_requests_total",
      help: "Requests answered with 503 before anything was done for them",
      type: "counter",
      read: () => [
        { labels: { reason: "overload" }, value: admission.rejected },
        { labels: { reason: "memory" }, value: bodies.refused },
      ],
    },
    {
      name: "mcp_server_body_bytes",
      help: "Bytes of request bodies in memory",
      type: "gauge",
      read: () => [{ value: bodies.bytes }],
    },
  ];
}
