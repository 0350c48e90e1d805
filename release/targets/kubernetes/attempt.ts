import { StateChanged, TargetRefused, TargetUnreachable } from "../../errors.ts";
import { ApiError } from "./api/api-error.ts";

/**
 * Makes a request, with the API's errors as those of a release.
 *
 * @param what the request in words, such as `read Service 'mcp-app'`
 * @throws TargetUnreachable, TargetRefused, StateChanged
 */
export async function attempt<T>(what: string, request: Promise<T>): Promise<T> {
  try {
    return await request;
  } catch (error) {
    throw translated(what, error);
  }
}

/** The error of a release that says the same as an ApiError. Every other error stays what it is. */
export function translated(what: string, error: unknown): unknown {
  if (!(error instanceof ApiError)) return error;
  const message = `could not ${what}: ${error.message}`;
  switch (error.kind) {
    case "unreachable":
    // Credentials can be renewed while a release waits, so these are no reason to leave live traffic unwatched.
    case "unauthorized":
      return new TargetUnreachable(message, { cause: error, retryAfterMs: error.retryAfterMs });
    case "policy":
    case "invalid":
    case "forbidden":
    case "quota":
      return new TargetRefused(error.kind, message);
    case "not-found":
    case "test-failed":
    case "conflict":
      return new StateChanged(message, { cause: error });
  }
}

export const isApiError = (error: unknown, ...kinds: readonly ApiError["kind"][]): error is ApiError =>
  error instanceof ApiError && kinds.includes(error.kind);
