import { TOKEN } from "../measure/client.ts";
import type { Endpoint } from "../ports/probe.ts";

const TIMEOUT_MS = 10_000;

export interface RawAnswer {
  readonly status: number;
  readonly headers: Headers;
  /** The JSON-RPC message that answers, if there is one. */
  readonly message: {
    readonly result?: Readonly<Record<string, unknown>>;
    readonly error?: { readonly message?: string };
  };
}

/**
 * One JSON-RPC request over HTTP, without a client that hides its headers.
 *
 * @throws what `fetch` throws, and an error after ten seconds
 */
export async function rawCall(
  { url, fetch }: Pick<Endpoint, "url" | "fetch">,
  method: string,
  params: object,
  { headers = {}, signal }: { readonly headers?: Readonly<Record<string, string>>; readonly signal: AbortSignal },
): Promise<RawAnswer> {
  const token = process.env[TOKEN];
  const response = await fetch(url, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      ...(token && { authorization: `Bearer ${token}` }),
      ...headers,
    },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
    signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
  });
  return { status: response.status, headers: response.headers, message: messageIn(await response.text()) };
}

/** The initialize request of a client of the 2025 revisions. */
export const initialize = (endpoint: Pick<Endpoint, "url" | "fetch">, protocolVersion: string, signal: AbortSignal) =>
  rawCall(
    endpoint,
    "initialize",
    { protocolVersion, capabilities: {}, clientInfo: { name: "mcp-bluegreen-contract", version: "1.0.0" } },
    { signal },
  );

/** A JSON object, or the last one of an event stream. */
function messageIn(text: string): RawAnswer["message"] {
  const events = [...text.matchAll(/^data: ?(.*)$/gm)].map(([, data = ""]) => data);
  for (const candidate of [text, ...events.reverse()]) {
    try {
      const message: unknown = JSON.parse(candidate);
      if (typeof message === "object" && message !== null) return message;
    } catch {
      // The next one.
    }
  }
  return {};
}
