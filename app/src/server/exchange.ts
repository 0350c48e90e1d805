import type { IncomingMessage, ServerResponse } from "node:http";
import { wellFormed } from "../json/well-formed.ts";
import { normalizeAccept } from "./accept.ts";
import type { WriteHead } from "./refusal.ts";
import type { Target } from "./request-head.ts";
import type { UnreadAnswers } from "./unread-answers.ts";

/** Header of the web request with the address of the client's end of the connection. */
export const PEER = "x-mcp-peer";

/**
 * Unread bytes of a stream, in addition to the operating system's buffers. Enough for hundreds of
 * notifications; 64 MiB for all streams.
 */
const MAX_UNREAD_BYTES = 64 * 1024;

/** Headers about a connection, which this server sets itself. RFC 9110, 7.6.1. */
const HOP_BY_HOP = new Set(["connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"]);

export interface ExchangeOptions {
  readonly writeHead: WriteHead;
  /** The answer is a stream that only the client or a drain ends. */
  readonly isStream: boolean;
  readonly unread: UnreadAnswers;
}

/**
 * Passes one POST to a web-standard handler and its response back. Aborts the request's signal when
 * the client goes away before the response is complete.
 *
 * An answer with an end waits for a slow reader, within the limit for all such answers. A stream
 * without an end would grow, so it is cut off when too much is unread, and the client opens
 * another.
 *
 * The SDK's own adapter would parse the body again and set `Connection` itself.
 */
export async function exchange(
  request: IncomingMessage,
  target: Target,
  response: ServerResponse,
  handle: (request: Request) => Promise<Response>,
  { writeHead, isStream, unread }: ExchangeOptions,
): Promise<void> {
  const abort = new AbortController();
  response.once("close", () => {
    if (!response.writableFinished) abort.abort();
  });

  const answer = await handle(toWebRequest(request, target, abort.signal));
  const headers = Object.fromEntries([...answer.headers].filter(([name]) => !HOP_BY_HOP.has(name)));
  if (headers["content-type"]?.startsWith("text/event-stream") !== true) {
    const body = wellFormed(await answer.bytes());
    if (answer.status !== 204) headers["content-length"] = String(body.byteLength);
    writeHead(answer.status, headers);
    response.end(body);
    unread.written(response);
    return;
  }

  writeHead(answer.status, headers);
  for await (const chunk of (answer.body ?? []) as AsyncIterable<Uint8Array>) {
    if (abort.signal.aborted) return;
    // The SDK writes each event as one chunk, so no escape is split.
    response.write(wellFormed(chunk));
    if (!isStream) unread.written(response);
    else if (response.writableLength > MAX_UNREAD_BYTES) response.destroy();
  }
  response.end();
}

/** Target and headers; the body is passed separately. */
function toWebRequest(request: IncomingMessage, { path, query }: Target, signal: AbortSignal): Request {
  const headers = new Headers();
  for (const [name, value] of Object.entries(request.headers)) {
    if (value !== undefined) headers.set(name, Array.isArray(value) ? value.join(", ") : value);
  }
  headers.set("accept", normalizeAccept(request.headers.accept));
  // Only the authorization may see a token.
  headers.delete("authorization");
  // Replaces a value from the client.
  headers.set(PEER, request.socket.remoteAddress ?? "");
  // The guard has checked the host; later code does not read it.
  const web = new Request(`http://localhost${path}${query}`, { method: "POST", headers });
  // As an option, it would be copied to another signal, the most expensive part of a Request.
  return Object.defineProperty(web, "signal", { value: signal });
}
