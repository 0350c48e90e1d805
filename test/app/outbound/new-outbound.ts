import { readConfig, type Config } from "../../../app/src/config.ts";
import { Health } from "../../../app/src/health/health.ts";
import type { Resolve } from "../../../app/src/outbound/addresses.ts";
import { HttpClient } from "../../../app/src/outbound/http-client.ts";
import { BreakerRegistry } from "../../../app/src/resilience/breaker-registry.ts";

export interface NewOutbound {
  readonly config: Config;
  readonly outbound: HttpClient;
  readonly breakers: BreakerRegistry;
  readonly health: Health;
}

/** Outbound calls as the app makes them under these settings. */
export function newOutbound(environment: Readonly<Record<string, string>>, resolve?: Resolve): NewOutbound {
  const config = readConfig({ AUTH_MODE: "off", ...environment });
  const breakers = new BreakerRegistry();
  const health = new Health(config);
  const outbound = new HttpClient({
    ...config.outbound,
    breakers,
    health,
    settings: config.breakers.upstream,
    ...(resolve && { resolve }),
  });
  return { config, outbound, breakers, health };
}
