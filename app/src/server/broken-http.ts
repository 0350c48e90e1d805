import type { Duplex } from "node:stream";

/** Bytes of a broken request that are discarded, so that its client receives the answer. */
const MAX_DISCARDED = 1024 * 1024;

/** Status line for bytes that Node's parser rejects. */
export function brokenStatus({ code, rawPacket, bytesParsed }: BrokenHttp): string {
  if (code === "ERR_HTTP_REQUEST_TIMEOUT") return "408 Request Timeout";
  if (code !== "HPE_HEADER_OVERFLOW") return "400 Bad Request";
  // A request line without an end.
  const isTarget = /^[A-Z]+ [^\n]*$/.test(rawPacket?.toString("latin1", 0, bytesParsed) ?? "");
  return isTarget ? "414 URI Too Long" : "431 Request Header Fields Too Large";
}

/** Node's error with the parser's input. */
export interface BrokenHttp extends NodeJS.ErrnoException {
  readonly rawPacket?: Buffer;
  readonly bytesParsed?: number;
}

/** Answers bytes for which there is no response object, and ends the connection. */
export function answerBroken(
  socket: Duplex,
  status: string,
  headers: Readonly<Record<string, string>>,
  timeout: number,
): void {
  closeSoon(socket, timeout);
  if (!socket.writable) return;
  const all = { ...headers, date: new Date().toUTCString(), connection: "close", "content-length": "0" };
  const lines = [`HTTP/1.1 ${status}`, ...Object.entries(all).map((pair) => pair.join(": "))];
  socket.end(`${lines.join("\r\n")}\r\n\r\n`);
}

/**
 * Ends a connection after its last answer. Discards further bytes for this time: a socket that is
 * closed with unread bytes resets the connection, and the answer is lost. A client that keeps its
 * side open does not keep the socket.
 */
export function closeSoon(socket: Duplex, timeout: number): void {
  let left = MAX_DISCARDED;
  socket.on("data", (chunk: Buffer) => {
    left -= chunk.byteLength;
    if (left < 0) socket.destroy();
  });
  const timer = setTimeout(() => socket.destroy(), timeout);
  socket.once("close", () => {
    clearTimeout(timer);
  });
}
