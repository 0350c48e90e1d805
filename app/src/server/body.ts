import { isUtf8 } from "node:buffer";
import type { IncomingMessage } from "node:http";
import { HttpError, INVALID_REQUEST, PARSE_ERROR, REFUSED } from "../errors/http-error.ts";
import { mayHaveLargeIntegers, parseExactly } from "../json/exact.ts";

/** JSON-RPC messages need some ten levels; what goes far deeper only serves to exhaust a recursive reader's stack. */
const MAX_DEPTH = 64;

/** Characters of a body with integers that a double cannot hold. Such a body takes the event loop some 80 ms at most. */
const MAX_EXACT = 256 * 1024;

/** How much of a body that is too large is read and thrown away, so that its sender gets to read the answer. */
const DISCARD_FACTOR = 32;

/**
 * Reads a JSON body of at most `maxBytes`, counting while it streams in, since a Content-Length may be absent or wrong.
 *
 * An integer that a double cannot hold is a `bigint`: nothing that is passed on differs from what the client sent.
 *
 * @throws HttpError when it is compressed, too large, not JSON, nested too deep, or asks two things by one id
 */
export async function readJson(request: IncomingMessage, maxBytes: number): Promise<unknown> {
  await refuseCompressed(request, maxBytes);
  const text = await readText(request, maxBytes);
  if (depthOf(text) > MAX_DEPTH)
    throw new HttpError(400, INVALID_REQUEST, `Invalid request: JSON nested deeper than ${MAX_DEPTH} levels`);
  if (text.length > MAX_EXACT && mayHaveLargeIntegers(text)) throw tooLongForLargeIntegers();
  const body = parse(text);
  if (Array.isArray(body)) refuseSameIds(body);
  return body;
}

function parse(text: string): unknown {
  try {
    return parseExactly(text);
  } catch {
    throw new HttpError(400, PARSE_ERROR, "Parse error: the request body is not valid JSON");
  }
}

function tooLongForLargeIntegers(): HttpError {
  return new HttpError(
    400,
    INVALID_REQUEST,
    `Invalid request: a body with integers of 16 and more digits may have at most ${MAX_EXACT} characters; send less, or send these integers as strings`,
  );
}

/** A small body that unpacks to a large one would pass the limit on its size. */
async function refuseCompressed(request: IncomingMessage, maxBytes: number): Promise<void> {
  const encoding = request.headers["content-encoding"] ?? "identity";
  if (encoding === "identity") return;
  await discard(request, maxBytes);
  throw new HttpError(415, REFUSED, `Unsupported Media Type: send the body as it is, not as '${encoding}'`, {
    headers: { "accept-encoding": "identity" },
  });
}

/** Only one of two requests with the same id would ever be answered, and whoever waits for the other waits for good. */
function refuseSameIds(batch: readonly unknown[]): void {
  const ids = new Set<unknown>();
  for (const message of batch) {
    if (typeof message !== "object" || message === null || !("id" in message) || !("method" in message)) continue;
    if (ids.has(message.id))
      throw new HttpError(400, INVALID_REQUEST, "Invalid request: two requests of a batch have the same id");
    ids.add(message.id);
  }
}

/** Reads a body and throws it away, so that a sender who is refused before anybody looked at it gets to read why. */
export async function discard(request: IncomingMessage, maxBytes: number): Promise<void> {
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.byteLength;
    if (bytes > maxBytes * DISCARD_FACTOR) break;
  }
}

async function readText(request: IncomingMessage, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  let tooLarge = Number(request.headers["content-length"]) > maxBytes;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.byteLength;
    tooLarge ||= bytes > maxBytes;
    if (!tooLarge) chunks.push(chunk);
    else {
      chunks.length = 0;
      if (bytes > maxBytes * DISCARD_FACTOR) break;
    }
  }
  if (tooLarge) throw new HttpError(413, REFUSED, `Request too large: the body may be at most ${maxBytes} bytes`);
  const body = Buffer.concat(chunks);
  // Anything else would be read as what its sender did not write.
  if (!isUtf8(body)) throw new HttpError(400, PARSE_ERROR, "Parse error: the request body is not valid UTF-8");
  return body.toString("utf8");
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** How deep objects and arrays are nested, without parsing; brackets inside strings do not count. */
function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  let inString = false;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (inString) {
      if (code === BACKSLASH) index += 1;
      else if (code === QUOTE) inString = false;
    } else if (code === QUOTE) inString = true;
    // [ is 0x5b and { is 0x7b, ] is 0x5d and } is 0x7d: one bit apart.
    else if ((code | 0x20) === 0x7b) deepest = Math.max(deepest, ++depth);
    else if ((code | 0x20) === 0x7d) depth -= 1;
  }
  return deepest;
}
