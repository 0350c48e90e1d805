import type { BreakerSettings } from "../config/breakers.ts";
import type { TokenConfig } from "../config/auth.ts";
import { statusOf } from "../health/guarded.ts";
import type { Health } from "../health/health.ts";
import type { BreakerRegistry } from "../resilience/breaker-registry.ts";
import type { Logger } from "../telemetry/logger.ts";
import { Authorization } from "./authorization.ts";
import { IssuerKeys } from "./issuer-keys.ts";
import { Tokens } from "./tokens.ts";

/** Creates the check of tokens, with the issuer's keys behind a breaker that health reports. */
export function createAuthorization(
  config: TokenConfig,
  settings: BreakerSettings,
  { breakers, health }: { readonly breakers: BreakerRegistry; readonly health: Health },
  logger: Logger,
): Authorization {
  const breaker = breakers.create({ ...settings, name: "token_keys" });
  const keys = new IssuerKeys({
    url: config.jwksUrl,
    breaker,
    failed: (error) => {
      logger.warn({ err: error }, "the keys that tokens are checked with could not be fetched");
    },
  });
  health.add({
    name: breaker.name,
    // Known keys are still valid. Without keys, this pod rejects every call.
    health: () => ({ status: statusOf(breaker.state, keys.known), breaker: breaker.state }),
  });
  return new Authorization(config, new Tokens(config, keys.find), keys);
}
