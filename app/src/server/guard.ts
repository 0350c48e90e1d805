import type { IncomingMessage } from "node:http";
import { validateHostHeader, validateOriginHeader } from "@modelcontextprotocol/server";
import type { Config } from "../config.ts";
import { HttpError, REFUSED } from "../errors/http-error.ts";

/** Where clients send their messages. */
export const MCP_PATH = "/mcp";

/**
 * Decides by a request's address alone whether it is meant for this server. The host and origin checks keep a web page from
 * reaching the server through a name it made resolve here (DNS rebinding).
 *
 * @param paths - that this server has
 * @returns what says which of them a request is for; it throws a HttpError when the request is not for this server
 */
export function createGuard(
  config: Pick<Config, "allowedHosts" | "allowedOrigins">,
  paths: ReadonlySet<string>,
): (request: IncomingMessage) => string {
  const allowedHosts = [...config.allowedHosts];
  const allowedOrigins = [...config.allowedOrigins];

  return ({ url, headers }) => {
    const path = url?.split("?", 1)[0] ?? "";
    if (!paths.has(path)) throw new HttpError(404, REFUSED, `Not found: the MCP endpoint is POST ${MCP_PATH}`);
    const host = validateHostHeader(headers.host, allowedHosts);
    if (!host.ok) {
      throw new HttpError(403, REFUSED, `${host.message}; this server answers only to the names in ALLOWED_HOSTS`);
    }
    const origin = validateOriginHeader(headers.origin, allowedOrigins);
    if (!origin.ok) {
      throw new HttpError(
        403,
        REFUSED,
        `${origin.message}; this server answers only pages of the hosts in ALLOWED_ORIGINS`,
      );
    }
    return path;
  };
}
