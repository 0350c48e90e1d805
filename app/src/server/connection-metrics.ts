import type { Connections } from "./connections.ts";
import type { Collector } from "../telemetry/collector.ts";

/** Clients' connections to the MCP port. */
export function connectionMetrics(connections: Connections): readonly Collector[] {
  const gauge = (name: string, help: string, read: () => number): Collector => ({
    name,
    help,
    type: "gauge",
    read: () => [{ value: read() }],
  });
  return [
    gauge("mcp_server_connections", "Open connections of clients", () => connections.size),
    gauge("mcp_server_busy_connections", "Of these, those with a call under way", () => connections.busy),
    gauge("mcp_server_listen_streams", "Streams on which clients hear of changes", () => connections.streams),
  ];
}
