import type { Egress } from "../constructs/network-policies.ts";
import { InvalidEnvironment, type Environment } from "../environments/environment.ts";

/** The app's settings that name something it asks: who collects its traces, and who publishes the keys of access tokens. */
const ASKED = ["OTEL_EXPORTER_OTLP_ENDPOINT", "AUTH_JWKS_URL"];

/**
 * What an environment's pods ask besides names and HTTPS: its Redis, and what its settings name.
 *
 * @throws InvalidEnvironment when a port cannot be told from the settings
 */
export function egress({ name, app }: Environment): Egress[] {
  const { redis, settings } = app;
  return [
    ...(redis === undefined ? [] : [{ port: redis.port, namespace: redis.namespace, cidr: redis.cidr }]),
    ...ASKED.flatMap((setting) => asked(settings[setting] ?? "", `environment '${name}': app.settings.${setting}`)),
  ];
}

function asked(endpoint: string, what: string): Egress[] {
  if (endpoint === "") return [];
  const url = URL.parse(endpoint);
  if (url === null) throw new InvalidEnvironment(`${what} must be a URL, not '${endpoint}'`);
  if (url.protocol === "https:" && url.port === "") return [];
  return [{ port: Number(url.port || 80) }];
}
