import type { Server } from "../environment/schema/server.ts";

/** The number of the port with the metrics; undefined if there are none, or if it is the MCP port, which is open anyway. */
export function metricsPort({ port, ports, metrics }: Server): number | undefined {
  if (metrics === undefined) return undefined;
  const number = typeof metrics.port === "number" ? metrics.port : { mcp: port, ...ports }[metrics.port];
  return number === port ? undefined : number;
}
