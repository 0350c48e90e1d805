import type { Egress } from "../constructs/network-policies.ts";
import { InvalidEnvironment } from "../environment/environment.ts";
import type { StackEnvironment } from "./environment-stack.ts";

/** The app's settings that name something it asks: who collects its traces, and who publishes the keys of access tokens. */
const ASKED = ["OTEL_EXPORTER_OTLP_ENDPOINT", "AUTH_JWKS_URL"];

/** Those that list what its tools may call. */
const CALLED = ["OUTBOUND_ALLOW", "OUTBOUND_POOLS"];

/**
 * What an environment's pods ask besides names and HTTPS: its Redis, and what its settings name.
 *
 * @throws InvalidEnvironment when a port cannot be told from the settings
 */
export function egress({ name, app }: StackEnvironment): Egress[] {
  const { redis, settings } = app;
  return [
    ...(redis === undefined ? [] : [{ port: redis.port, namespace: redis.namespace, cidr: redis.cidr }]),
    ...ASKED.flatMap((setting) => asked(settings[setting] ?? "", `environment '${name}': app.settings.${setting}`)),
    ...CALLED.flatMap((setting) =>
      origins(settings[setting] ?? "").flatMap((origin) =>
        asked(origin, `environment '${name}': app.settings.${setting}`),
      ),
    ),
  ];
}

/** The origins in lists such as `api.example.com,http://*.internal:8080` and `search=https://a.example,https://b.example*3;…`. */
function origins(text: string): string[] {
  return text
    .split(/[,;]/)
    .map((item) =>
      item
        .trim()
        .replace(/^[^=/]*=/, "")
        .replace(/\*\d+$/, ""),
    )
    .filter((item) => item !== "")
    .map((item) => (item.includes("://") ? item : `https://${item}`));
}

function asked(endpoint: string, what: string): Egress[] {
  if (endpoint === "") return [];
  const url = URL.parse(endpoint);
  if (url === null) throw new InvalidEnvironment(`${what} must be a URL, not '${endpoint}'`);
  if (url.protocol === "https:" && url.port === "") return [];
  return [{ port: Number(url.port || 80) }];
}
