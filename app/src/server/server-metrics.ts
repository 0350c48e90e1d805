import { counter, gauge, type Collector } from "../telemetry/collector.ts";
import type { Admission } from "./admission.ts";
import type { BodyBudget } from "./body-budget.ts";
import type { Connections } from "./connections.ts";

/** Connections to the MCP port, the load that it sheds, and the memory of request bodies. */
export function serverMetrics(
  connections: Connections,
  admission: Admission,
  bodies: BodyBudget,
): readonly Collector[] {
  const of = (value: number) => [{ value }];
  return [
    gauge("mcp_server_connections", "Open connections of clients", () => of(connections.size)),
    gauge("mcp_server_busy_connections", "Of these, those with a call under way", () => of(connections.busy)),
    gauge("mcp_server_listen_streams", "Streams on which clients hear of changes", () => of(connections.streams)),
    counter("mcp_server_shed_requests_total", "Requests answered with 503 before anything was done for them", () => [
      { labels: { reason: "overload" }, value: admission.rejected },
      { labels: { reason: "memory" }, value: bodies.refused },
    ]),
    gauge("mcp_server_body_bytes", "Bytes of request bodies in memory", () => of(bodies.bytes)),
  ];
}
