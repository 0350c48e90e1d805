import type { Egress } from "../constructs/network-policies.ts";
import { askedPorts } from "../environment/asked-ports.ts";
import type { StackEnvironment } from "./environment-stack.ts";

/** Names and HTTPS are open anyway. */
const HTTPS = 443;

/** What an environment's pods ask besides names and HTTPS: its Redis, and what its settings name. */
export function egress({ app, network, server }: StackEnvironment): Egress[] {
  const { redis, settings } = app;
  const ports = server.asks.flatMap((setting) => askedPorts(settings[setting] ?? "") ?? []);
  return [
    ...(redis === undefined ? [] : [{ port: redis.port, namespace: redis.namespace, cidr: redis.cidr }]),
    ...[...new Set(ports)].filter((port) => port !== HTTPS).map((port) => ({ port })),
    ...network.egress,
  ];
}
