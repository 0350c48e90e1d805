import { validateHostHeader, validateOriginHeader } from "@modelcontextprotocol/server";
import type { Config } from "../config.ts";
import { HttpError, REFUSED } from "../errors/http-error.ts";
import type { Target } from "./request-head.ts";

/** Where clients send their messages. */
export const MCP_PATH = "/mcp";

/**
 * Decides by its target and origin alone whether a request is meant for this server. The host and
 * origin checks keep a web page from reaching the server through a name that the page made resolve
 * here (DNS rebinding).
 *
 * @param paths - that this server has
 * @returns a check that throws a HttpError when the request is not for this server
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
