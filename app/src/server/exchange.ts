import type { IncomingMessage, ServerResponse } from "node:http";
import { wellFormed } from "../json/well-formed.ts";
import { normalizeAccept } from "./accept.ts";
import type { WriteHead } from "./refusal.ts";
import type { Target } from "./request-head.ts";
import type { UnreadAnswers } from "./unread-answers.ts";

/** Header of the web request that contains the address of the client's end of the connection. */
export const PEER = "x-mcp-peer";

/**
 * Bytes that may wait for the reader of a stream without end, in addition to the operating system's
 * buffers. Enough for hundreds of notifications; with the maximum of streams, 64 MiB.
 */
const MAX_UNREAD_BYTES = 64 * 1024;

/**
 * Headers about a connection, which is this server's own, and not the handler's. RFC 9110, 7.6.1.
 */
const HOP_BY_HOP = new Set(["connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"]);

export interface ExchangeOptions {
  readonly writeHead: WriteHead;
  /** The answer is a stream that only the client or a drain ends. */
  readonly isStream: boolean;
  readonly unread: UnreadAnswers;
}

/**
 * Carries one POST to a web-standard handler and its response back; aborts the request's signal
 * when the client goes away before the response is complete.
 *
 * An answer that has an end waits for a slow reader, within the limit that all such answers share. A
 * stream without one would grow while it waits, so a reader that leaves too much of it unread is cut
 * off and has to open another.
 *
 * The SDK's own adapter would parse the body a second time and set `Connection` itself, which only
 * the server can decide.
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
    // The SDK writes each event as one chunk, so no escape is in two.
    response.write(wellFormed(chunk));
    if (!isStream) unread.written(response);
    else if (response.writableLength > MAX_UNREAD_BYTES) response.destroy();
  }
  response.end();
}

/** Target and headers; the body is read and parsed elsewhere. */
function toWebRequest(request: IncomingMessage, { path, query }: Target, signal: AbortSignal): Request {
  const headers = new Headers();
  for (const [name, value] of Object.entries(request.headers)) {
    if (value !== undefined) headers.set(name, Array.isArray(value) ? value.join(", ") : value);
  }
  headers.set("accept", normalizeAccept(request.headers.accept));
  // A token is for the code that checks it, not for code that can be made to pass it on.
  headers.delete("authorization");
  // Replaces a value from the client.
  headers.set(PEER, request.socket.remoteAddress ?? "");
  // The host has passed its guard; nothing downstream reads it.
  const web = new Request(`http://localhost${path}${query}`, { method: "POST", headers });
  // Given a signal, a Request makes itself another one that follows it, which costs more than all
  // else about it.
  return Object.defineProperty(web, "signal", { value: signal });
}
