import { validateHeaderValue } from "node:http";
import { ToolInputError } from "../errors/tool-input-error.ts";
import type { AllowList } from "./allow-list.ts";

/** Without CONNECT and TRACE, which are for proxies and diagnosis. */
export const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] as const;

export type Method = (typeof METHODS)[number];

/** Headers that a caller may set. Others would change target, framing or origin of a request. */
export const HEADERS = [
  "accept",
  "accept-language",
  "authorization",
  "content-type",
  "idempotency-key",
  "if-match",
  "if-modified-since",
  "if-none-match",
  "if-unmodified-since",
  "prefer",
  "x-api-key",
  "x-request-id",
] as const;

/** Headers that are not sent to another origin. */
const SECRET: ReadonlySet<string> = new Set(["authorization", "x-api-key", "idempotency-key"]);

const ALLOWED: ReadonlySet<string> = new Set(HEADERS);

/** @see https://www.rfc-editor.org/rfc/rfc9110#name-idempotent-methods */
const IDEMPOTENT: ReadonlySet<Method> = new Set(["GET", "HEAD", "PUT", "DELETE", "OPTIONS"]);

/** A request as its caller describes it. */
export interface HttpRequest {
  readonly url: string;
  /** @default GET */
  readonly method?: Method | undefined;
  /** Names in any case. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body?: string | undefined;
}

export interface CheckedRequest {
  readonly url: URL;
  readonly method: Method;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | undefined;
}

/** @throws ToolInputError for a request that is not allowed; addresses are checked on connection */
export function checkRequest(request: HttpRequest, allowed: AllowList): CheckedRequest {
  const { method = "GET", body } = request;
  if (body !== undefined && (method === "GET" || method === "HEAD"))
    throw new ToolInputError(`a ${method} request has no body: leave 'body' out, or use POST, PUT or PATCH`);
  return {
    url: allowed.read(request.url),
    method,
    headers: Object.fromEntries(Object.entries(request.headers ?? {}).map(([name, value]) => checkHeader(name, value))),
    body: body === undefined ? undefined : Buffer.from(body),
  };
}

function checkHeader(name: string, value: string): [string, string] {
  const known = name.toLowerCase();
  if (!ALLOWED.has(known))
    throw new ToolInputError(`the header '${name.slice(0, 100)}' may not be set; these may: ${HEADERS.join(", ")}`);
  try {
    validateHeaderValue(known, value);
  } catch {
    throw new ToolInputError(`the value of the header '${known}' has characters that no header may have`);
  }
  return [known, value];
}

/** Whether sending it twice has the effect of sending it once. */
export function isRepeatable({ method, headers }: CheckedRequest): boolean {
  return IDEMPOTENT.has(method) || headers["idempotency-key"] !== undefined;
}

/**
 * The request for a redirect, or undefined if it is not followed. As in browsers, POST becomes GET
 * except for 307 and 308. Bodies and secret headers are not sent to another origin.
 *
 * @throws ToolInputError when it leads to a host that may not be called
 */
export function redirected(
  { url, method, headers, body }: CheckedRequest,
  answer: { readonly status: number; readonly location: string | undefined },
  allowed: AllowList,
): CheckedRequest | undefined {
  const { status, location } = answer;
  if (location === undefined || ![301, 302, 303, 307, 308].includes(status)) return undefined;
  const next = readLocation(location, url, allowed);
  const becomesGet = method !== "HEAD" && (status === 303 || (status <= 302 && method === "POST"));
  const sameOrigin = next.origin === url.origin;
  if (!becomesGet && !sameOrigin && method !== "GET" && method !== "HEAD") return undefined;
  const kept = Object.entries(headers).filter(
    ([name]) => (sameOrigin || !SECRET.has(name)) && !(becomesGet && name === "content-type"),
  );
  return {
    url: next,
    method: becomesGet ? "GET" : method,
    headers: Object.fromEntries(kept),
    body: becomesGet ? undefined : body,
  };
}

function readLocation(location: string, from: URL, allowed: AllowList): URL {
  try {
    return allowed.read(location, from);
  } catch (error) {
    if (!(error instanceof ToolInputError)) throw error;
    throw new ToolInputError(`${from.origin} redirects elsewhere, and ${error.message}`);
  }
}
