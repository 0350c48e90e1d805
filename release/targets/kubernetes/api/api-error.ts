export type ApiErrorKind =
  /** No answer, a broken answer, 429 or 5xx: try again. */
  | "unreachable"
  /** The object does not exist. */
  | "not-found"
  /** A `test` failed or a path is missing: 422 without details. Read the object to learn which. */
  | "test-failed"
  /** The object exists already, or has another resourceVersion: 409. */
  | "conflict"
  /** An admission policy or webhook denied the request. */
  | "policy"
  /** The API does not accept a value: 422 with `causes[].field`. */
  | "invalid"
  /** The identity lacks a right: 403 "cannot". */
  | "forbidden"
  /** 403 "exceeded quota". */
  | "quota"
  /** The credentials are not accepted: 401. */
  | "unauthorized";

/** An answer of the API server that is not the one asked for. The message is one line for people. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly kind: ApiErrorKind;
  /** When the server wants to be asked again, if it says so. Milliseconds. */
  readonly retryAfterMs: number | undefined;

  constructor(kind: ApiErrorKind, message: string, retryAfterMs?: number) {
    super(message);
    this.kind = kind;
    this.retryAfterMs = retryAfterMs;
  }
}
