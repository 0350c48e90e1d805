export interface UpstreamFailureOptions {
  /** What it answered, if it did. */
  readonly status?: number;
  /** Milliseconds that it asks to be left alone for. */
  readonly retryAfterMs?: number | undefined;
  /** Whether the same request may be answered another time. @default true */
  readonly mayPass?: boolean;
  readonly cause?: unknown;
}

/** A service that was called did not answer, or answered that it cannot. The message is for clients: it names no address and no stack. */
export class UpstreamFailure extends Error {
  override readonly name = "UpstreamFailure";
  readonly status: number | undefined;
  readonly retryAfterMs: number | undefined;
  readonly mayPass: boolean;

  constructor(message: string, { status, retryAfterMs, mayPass = true, cause }: UpstreamFailureOptions = {}) {
    super(message, { cause });
    this.status = status;
    this.retryAfterMs = retryAfterMs;
    this.mayPass = mayPass;
  }
}

const SAID: Readonly<Record<string, string>> = {
  ECONNREFUSED: "refused the connection",
  ECONNRESET: "broke off the connection",
  EPIPE: "broke off the connection",
  ENOTFOUND: "has no address",
  EAI_AGAIN: "could not be looked up",
  ETIMEDOUT: "did not answer",
  EHOSTUNREACH: "cannot be reached",
  ENETUNREACH: "cannot be reached",
  HPE_HEADER_OVERFLOW: "answered with too many headers",
};

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
  const isCertificate = code.startsWith("CERT_") || code.startsWith("ERR_TLS_") || /SELF_SIGNED|VERIFY/.test(code);
  if (isCertificate)
    return new UpstreamFailure(`${origin} has a certificate that is not valid (${code})`, {
      mayPass: false,
      cause: error,
    });
  if (code.startsWith("HPE_") && SAID[code] === undefined)
    return new UpstreamFailure(`${origin} does not answer in HTTP`, { mayPass: false, cause: error });
  return new UpstreamFailure(`${origin} ${SAID[code] ?? "could not be called"} (${code})`, {
    cause: error,
  });
}

/** Of several addresses that were tried, the first one's. */
function codeOf(error: unknown): string {
  if (typeof error !== "object" || error === null) return "";
  if ("code" in error && typeof error.code === "string") return error.code;
  return "errors" in error && Array.isArray(error.errors) ? codeOf(error.errors[0]) : "";
}
