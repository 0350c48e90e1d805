export interface UpstreamFailureOptions {
  readonly status?: number;
  /** Pause that the upstream asks for, in milliseconds. */
  readonly retryAfterMs?: number | undefined;
  /** Whether a retry may succeed. @default true */
  readonly isTransient?: boolean;
  readonly cause?: unknown;
}

/**
 * An upstream did not answer, or answered with a failure. The message is for clients: without
 * addresses and stack.
 */
export class UpstreamFailure extends Error {
  override readonly name = "UpstreamFailure";
  readonly status: number | undefined;
  readonly retryAfterMs: number | undefined;
  readonly isTransient: boolean;

  constructor(message: string, { status, retryAfterMs, isTransient = true, cause }: UpstreamFailureOptions = {}) {
    super(message, { cause });
    this.status = status;
    this.retryAfterMs = retryAfterMs;
    this.isTransient = isTransient;
  }
}

export class Unresolved extends UpstreamFailure {}

/** Messages by error code, and whether a retry may succeed. */
const SAID: readonly (readonly [codes: RegExp, does: string, isTransient: boolean])[] = [
  [/^ECONNREFUSED$/, "refused the connection", true],
  [/^(ECONNRESET|EPIPE|ERR_STREAM_PREMATURE_CLOSE)$/, "broke off the connection", true],
  [/^ENOTFOUND$/, "has no address", true],
  [/^EAI_AGAIN$/, "could not be looked up", true],
  [/^ETIMEDOUT$/, "did not answer", true],
  [/^(EHOSTUNREACH|ENETUNREACH)$/, "cannot be reached", true],
  [/^HPE_HEADER_OVERFLOW$/, "answered with too many headers", true],
  [/^HPE_/, "does not answer in HTTP", false],
  // Node uses the names of OpenSSL's verification errors.
  [/^CERT_HAS_EXPIRED$/, "has a certificate that has expired", false],
  [/^CERT_NOT_YET_VALID$/, "has a certificate that is not valid yet", false],
  [/^ERR_TLS_CERT_ALTNAME/, "has a certificate for another name", false],
  [
    /SELF_SIGNED|^UNABLE_TO_(GET_ISSUER|VERIFY)|^CERT_UNTRUSTED$/,
    "has a certificate from an authority that this server does not trust",
    false,
  ],
  [/^(CERT_|ERR_TLS_CERT_|UNABLE_TO_|INVALID_(CA|PURPOSE)$)/, "has a certificate that is not valid", false],
  [/^(EPROTO|ERR_SSL_.*|ERR_TLS_.*)$/, "does not speak TLS as this server does", false],
];

/** Errors of this app, which are not failures of an upstream. */
const OWN_FAULT = /^$|^ERR_(INVALID|UNESCAPED|HTTP_INVALID)/;

/**
 * Describes a network error without addresses or local file names.
 *
 * @returns the same error if the fault is this app's
 */
export function describeNetworkError(origin: string, error: unknown): unknown {
  const code = codeOf(error);
  if (OWN_FAULT.test(code)) return error;
  const [, does, isTransient] = SAID.find(([codes]) => codes.test(code)) ?? ["", "could not be called", true];
  return new UpstreamFailure(`${origin} ${does} (${code})`, { isTransient, cause: error });
}

/** The code of an error. For several addresses, the code of the first one. */
export function codeOf(error: unknown): string {
  if (typeof error !== "object" || error === null) return "";
  if ("code" in error && typeof error.code === "string") return error.code;
  return "errors" in error && Array.isArray(error.errors) ? codeOf(error.errors[0]) : "";
}
