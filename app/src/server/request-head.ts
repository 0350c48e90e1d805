import type { IncomingMessage } from "node:http";
import { HttpError, INVALID_REQUEST, REFUSED } from "../errors/http-error.ts";

/** Octets. RFC 9112 requires at least 8,000 for a request line. */
const MAX_TARGET = 8192;

/** `scheme://authority`, and the rest. */
const ABSOLUTE_FORM = /^https?:\/\/([^/?#]*)(.*)$/i;

/** A name or an address, with an optional port, but without a user. */
const AUTHORITY = /^(?:\[[0-9a-f:.]+\]|[a-z0-9._~%!$&'()*+,;=-]+)(?::\d*)?$/i;

export interface Target {
  readonly path: string;
  /** Includes the question mark; may be empty. */
  readonly query: string;
  /** Host and port that the client addressed; absent only in HTTP/1.0. */
  readonly authority: string | undefined;
}

/**
 * Reads the target of a request, and checks rules of RFC 9112 that Node's parser does not check. An
 * absolute target, as clients behind a forward proxy send it, takes precedence over `Host`. Its
 * scheme is ignored, because TLS ends before this server.
 *
 * @throws HttpError 400 for a missing, repeated or malformed `Host` or a malformed target, 414 for
 *   a target above 8 KiB, 501 for a transfer coding other than chunked
 * @see https://www.rfc-editor.org/rfc/rfc9112#section-3.2
 * @see https://www.rfc-editor.org/rfc/rfc9112#section-6.1
 */
export function readTarget(request: IncomingMessage): Target {
  const { url = "", method } = request;
  if (url.length > MAX_TARGET) throw new HttpError(414, REFUSED, `URI too long: at most ${MAX_TARGET} octets`);
  checkTransferCoding(request);
  const host = readHost(request);

  const [, authority, rest = ""] = ABSOLUTE_FORM.exec(url) ?? [];
  if (authority !== undefined) {
    if (!AUTHORITY.test(authority)) throw invalid(`its target names no valid host: '${authority}'`);
    return { ...split(rest.startsWith("/") ? rest : `/${rest}`), authority };
  }
  if (!url.startsWith("/") && !(url === "*" && method === "OPTIONS")) {
    throw invalid("its target must be a path or an http URL");
  }
  return { ...split(url), authority: host };
}

function readHost({ headersDistinct, httpVersion }: IncomingMessage): string | undefined {
  const [host, another] = headersDistinct.host ?? [];
  if (another !== undefined) throw invalid("it has more than one Host header");
  if (host === undefined) {
    if (httpVersion === "1.0") return undefined;
    throw invalid("it has no Host header");
  }
  if (!AUTHORITY.test(host)) throw invalid(`its Host header is no host and port: '${host}'`);
  return host;
}

function checkTransferCoding({ headers, httpVersion }: IncomingMessage): void {
  const coding = headers["transfer-encoding"]?.trim().toLowerCase();
  if (coding === undefined) return;
  if (httpVersion === "1.0") throw invalid("HTTP/1.0 has no Transfer-Encoding", true);
  if (coding !== "chunked") {
    throw new HttpError(501, REFUSED, `Not implemented: transfer coding '${coding}'; use 'chunked'`);
  }
}

function split(target: string): { readonly path: string; readonly query: string } {
  const at = target.indexOf("?");
  return at < 0 ? { path: target, query: "" } : { path: target.slice(0, at), query: target.slice(at) };
}

/** @param close - whether the framing is ambiguous, so that the connection must end */
function invalid(problem: string, close = false): HttpError {
  return new HttpError(400, INVALID_REQUEST, `Invalid HTTP request: ${problem}`, {
    ...(close && { headers: { connection: "close" } }),
  });
}
