import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { wellFormed } from "../json/well-formed.ts";
import type { WriteHead } from "./refuse.ts";

/** Header of the web request that holds the address of the connection's other end. */
export const PEER = "x-mcp-peer";

/**
 * Bytes that may wait for the reader of a stream without end, over what the operating system holds already. Hundreds of
 * notifications; with as many streams as there may be, some 64 MiB.
 */
const MAX_UNREAD_BYTES = 64 * 1024;

/**
 * Carries one POST to a web-standard handler and its response back; aborts the request's signal when the client goes
 * away before the response is complete.
 *
 * An answer that has an end waits for a slow reader. A stream that has none goes on growing meanwhile, so that its reader is cut off
 * when too much waits, and has to open another.
 *
 * The SDK's own adapter would parse the body a second time and decide about `Connection` itself, which belongs to the drain.
 */
export async function exchange(
  request: IncomingMessage,
  response: ServerResponse,
  handle: (request: Request) => Promise<Response>,
  { writeHead, hasEnd }: { readonly writeHead: WriteHead; readonly hasEnd: () => boolean },
): Promise<void> {
  const abort = new AbortController();
  response.once("close", () => {
    if (!response.writableFinished) abort.abort();
  });

  const answer = await handle(toWebRequest(request, abort.signal));
  const headers = Object.fromEntries(answer.headers);
  if (headers["content-type"]?.startsWith("text/event-stream") !== true) {
    const body = wellFormed(await answer.bytes());
    writeHead(answer.status, { ...headers, "content-length": String(body.byteLength) });
    response.end(body);
    return;
  }

  writeHead(answer.status, headers);
  for await (const chunk of (answer.body ?? []) as AsyncIterable<Uint8Array>) {
    if (abort.signal.aborted) return;
    // The SDK writes each event as one chunk, so no escape is in two.
    if (response.write(wellFormed(chunk))) continue;
    if (hasEnd()) await once(response, "drain", { signal: abort.signal }).catch(() => undefined);
    else if (response.writableLength > MAX_UNREAD_BYTES) response.destroy();
  }
  response.end();
}

/** Address and headers; the body is read and parsed apart. */
function toWebRequest(request: IncomingMessage, signal: AbortSignal): Request {
  const headers = new Headers();
  for (const [name, value] of Object.entries(request.headers)) {
    if (value !== undefined) headers.set(name, Array.isArray(value) ? value.join(", ") : value);
  }
  // A token is for whoever checks it, not for what can be made to pass it on.
  headers.delete("authorization");
  // Over whatever a client made up.
  headers.set(PEER, request.socket.remoteAddress ?? "");
  // The host has passed its guard; nothing downstream reads it.
  const web = new Request(`http://localhost${request.url ?? "/"}`, { method: "POST", headers });
  // Given a signal, a Request makes itself another one that follows it, which costs more than all else about it.
  return Object.defineProperty(web, "signal", { value: signal });
}
