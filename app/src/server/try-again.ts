import { HttpError, REFUSED } from "../errors/http-error.ts";

/** Milliseconds until a refused client may retry, ± 50 %, so that clients do not retry together. */
const PAUSE = 1000;

/** A temporary refusal: 503 with the time of a retry, in seconds and in milliseconds. */
export function tryAgainLater(problem: string): HttpError {
  const retryAfterMs = Math.round(PAUSE * (0.5 + Math.random()));
  return new HttpError(503, REFUSED, `${problem}: nothing was done; call again in ${retryAfterMs} ms`, {
    headers: { "retry-after": String(Math.ceil(retryAfterMs / 1000)) },
    data: { retryAfterMs },
  });
}
