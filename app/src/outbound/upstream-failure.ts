export interface UpstreamFailureOptions {
  /** What it answered, if it did. */
  readonly status?: number;
  /** Milliseconds that it asks to be left alone for. */
  readonly retryAfterMs?: number | undefined;
  /** Whether the same request may be answered another time. @default true */
  readonly isTransient?: boolean;
  readonly cause?: unknown;
}

/** A service that was called did not answer, or answered that it cannot. The message is for clients: it names no address and no stack. */
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

/** The name of a service has no address, or none that could be found. */
export class Unresolved extends UpstreamFailure {}

/** What an upstream does, by the code of the error that it shows as; and whether it may do better another time. */
const SAID: readonly (readonly [codes: RegExp, does: string, isTransient: boolean])[] = [
  [/^ECONNREFUSED$/, "refused the connection", true],
  [/^(ECONNRESET|EPIPE|ERR_STREAM_PREMATURE_CLOSE)$/, "broke off the connection", true],
  [/^ENOTFOUND$/, "has no address", true],
  [/^EAI_AGAIN$/, "could not be looked up", true],
  [/^ETIMEDOUT$/, "did not answer", true],
  [/^(EHOSTUNREACH|ENETUNREACH)$/, "cannot be reached", true],
  [/^HPE_HEADER_OVERFLOW$/, "answered with too many headers", true],
  [/^HPE_/, "does not answer in HTTP", false],
  // Node gives OpenSSL's verdicts on a certificate by their names.
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

/** What this side did wrong: no upstream's failure, and nothing to tell clients. */
const OWN_FAULT = /^$|^ERR_(INVALID|UNESCAPED|HTTP_INVALID)/;

/**
 * What went wrong on the way, in words that name neither addresses nor this side's files.
 *
 * @returns the same error where the fault is this side's
 */
export function describeNetworkError(origin: string, error: unknown): unknown {
  const code = codeOf(error);
  if (OWN_FAULT.test(code)) return error;
  const [, does, isTransient] = SAID.find(([codes]) => codes.test(code)) ?? ["", "could not be called", true];
  return new UpstreamFailure(`${origin} ${does} (${code})`, { isTransient, cause: error });
}

/** Of several addresses that were tried, the first one's. */
export function codeOf(error: unknown): string {
  if (typeof error !== "object" || error === null) return "";
  if ("code" in error && typeof error.code === "string") return error.code;
  return "errors" in error && Array.isArray(error.errors) ? codeOf(error.errors[0]) : "";
}
