import { validateHostHeader, validateOriginHeader } from "@modelcontextprotocol/server";
import type { Config } from "../config.ts";
import { HttpError, REFUSED } from "../errors/http-error.ts";
import type { Target } from "./request-head.ts";

export const MCP_PATH = "/mcp";

/**
 * Checks target and origin of a request. The host and origin checks prevent DNS rebinding: a web
 * page could otherwise reach the server through its own host name.
 *
 * @param paths - of this server
 * @returns a check that throws a HttpError
 */
export function createGuard(
  config: Pick<Config, "allowedHosts" | "allowedOrigins">,
  paths: ReadonlySet<string>,
): (target: Target, originHeader: string | undefined) => void {
  const allowedHosts = [...config.allowedHosts];
  const allowedOrigins = [...config.allowedOrigins];

  return ({ path, authority }, originHeader) => {
    if (!paths.has(path)) throw new HttpError(404, REFUSED, `Not found: the MCP endpoint is POST ${MCP_PATH}`);
    const host = validateHostHeader(authority?.toLowerCase(), allowedHosts);
    if (!host.ok) {
      throw new HttpError(403, REFUSED, `${host.message}; this server answers only to the names in ALLOWED_HOSTS`);
    }
    const origin = validateOriginHeader(originHeader, allowedOrigins);
    if (!origin.ok) {
      throw new HttpError(
        403,
        REFUSED,
        `${origin.message}; this server answers only pages of the hosts in ALLOWED_ORIGINS`,
      );
    }
  };
}
