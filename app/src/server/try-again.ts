import { HttpError, REFUSED } from "../errors/http-error.ts";

/**
 * Milliseconds that a refused client is to wait, give or take half of it, so that clients do not
 * come back together.
 */
const PAUSE = 1000;

/**
 * A refusal for the moment: 503, and when to call again, for HTTP clients in seconds and for MCP
 * clients in milliseconds.
 */
export function tryAgainLater(problem: string): HttpError {
  const retryAfterMs = Math.round(PAUSE * (0.5 + Math.random()));
  return new HttpError(503, REFUSED, `${problem}: nothing was done; call again in ${retryAfterMs} ms`, {
    headers: { "retry-after": String(Math.ceil(retryAfterMs / 1000)) },
    data: { retryAfterMs },
  });
}
