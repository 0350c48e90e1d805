import type { StackEnvironment } from "./environment-stack.ts";

/** The numbers of the ports of metrics and of the environment's own Services. The MCP port is open anyway. */
export function watchedPorts({ server, services, pod }: StackEnvironment): number[] {
  const { port: mcp, ports, metrics } = server;
  const named: Readonly<Record<string, number>> = Object.assign(
    { mcp, ...ports },
    ...pod.sidecars.map((it) => it.ports),
  );
  const targets = [
    ...(metrics === undefined ? [] : [metrics.port]),
    ...Object.values(services).map(({ port, targetPort = port }) => targetPort),
  ];
  const numbers = targets.flatMap((target) => (typeof target === "number" ? target : (named[target] ?? [])));
  return [...new Set(numbers)].filter((number) => number !== mcp);
}
