import type { Egress } from "../constructs/network-policies.ts";
import { InvalidEnvironment, type Environment } from "../environments/environment.ts";

/** The app's setting that says where traces go. */
const TRACES = "OTEL_EXPORTER_OTLP_ENDPOINT";

/**
 * What an environment's pods ask besides names and HTTPS: its Redis, and whoever collects its traces.
 *
 * @throws InvalidEnvironment when the collector's port cannot be told from the settings
 */
export function egress({ name, app }: Environment): Egress[] {
  const { redis, settings } = app;
  return [
    ...(redis === undefined ? [] : [{ port: redis.port, namespace: redis.namespace, cidr: redis.cidr }]),
    ...collector(settings[TRACES] ?? "", `environment '${name}': app.settings.${TRACES}`),
  ];
}

function collector(endpoint: string, what: string): Egress[] {
  if (endpoint === "") return [];
  const url = URL.parse(endpoint);
  if (url === null) throw new InvalidEnvironment(`${what} must be a URL, not '${endpoint}'`);
  if (url.protocol === "https:" && url.port === "") return [];
  return [{ port: Number(url.port || 80) }];
}
