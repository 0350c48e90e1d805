import { isUtf8 } from "node:buffer";
import type { IncomingMessage } from "node:http";
import { CollectedBytes } from "../collected-bytes.ts";
import { HttpError, INVALID_REQUEST, PARSE_ERROR, REFUSED } from "../errors/http-error.ts";
import { mayHaveLargeIntegers, parseExactly } from "../json/exact.ts";
import type { BodyShare } from "./body-budget.ts";

/**
 * JSON-RPC messages need some ten levels; far deeper ones only serve to exhaust the stack of a
 * recursive reader.
 */
const MAX_DEPTH = 64;

/** Characters of a body with integers that a double cannot hold. Such a body takes the event loop some 80 ms at most. */
const MAX_EXACT = 256 * 1024;

export interface BodyLimits {
  readonly maxBytes: number;
  /** Of the bytes that all bodies together may have. */
  readonly share: Pick<BodyShare, "take" | "arrived" | "signal">;
}

/**
 * Reads a body of at most `maxBytes`, counting while it streams in, since a Content-Length may be
 * absent or wrong.
 *
 * @throws HttpError when it is compressed, too large or not UTF-8; 503 when the process holds too
 *   many bytes of bodies already
 */
export async function readBody(request: IncomingMessage, { maxBytes, share }: BodyLimits): Promise<string> {
  refuseEncoded(request);
  const tooLarge = () => new HttpError(413, REFUSED, `Request too large: the body may be at most ${maxBytes} bytes`);
  if (Number(request.headers["content-length"]) > maxBytes) throw tooLarge();
  const collected = new CollectedBytes();
  const take = (chunk: Buffer) => {
    if (collected.length + chunk.byteLength > maxBytes) throw tooLarge();
    share.take(chunk.byteLength);
    collected.add(chunk);
  };
  await consume(request, take, share.signal);
  share.arrived();
  const body = collected.bytes;
  // Decoded with replacement characters, it would say something that its sender did not write.
  if (!isUtf8(body)) throw new HttpError(400, PARSE_ERROR, "Parse error: the request body is not valid UTF-8");
  return body.toString("utf8");
}

/**
 * Parses the JSON of a body.
 *
 * @throws HttpError 400 when it is not JSON, or nested too deep
 */
export function parseJson(text: string): unknown {
  if (depthOf(text) > MAX_DEPTH)
    throw new HttpError(400, INVALID_REQUEST, `Invalid request: JSON nested deeper than ${MAX_DEPTH} levels`);
  if (text.length > MAX_EXACT && mayHaveLargeIntegers(text)) throw tooLongForLargeIntegers();
  return parse(text);
}

/**
 * Reads the rest of a body and throws it away, up to so many bytes and milliseconds. A client that
 * writes all of its request before it reads needs this: a connection that is closed before all of
 * the body was read is reset, and the answer is lost.
 */
export async function discard(request: IncomingMessage, maxBytes: number, timeout: number): Promise<void> {
  let bytes = 0;
  const enough = new AbortController();
  const timer = setTimeout(() => {
    enough.abort();
  }, timeout);
  await consume(
    request,
    (chunk) => {
      bytes += chunk.byteLength;
      if (bytes > maxBytes) enough.abort();
    },
    enough.signal,
  ).catch(() => undefined);
  clearTimeout(timer);
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
function refuseEncoded({ headers }: IncomingMessage): void {
  const encoding = headers["content-encoding"] ?? "";
  const isEncoded = encoding.split(",").some((coding) => !["", "identity"].includes(coding.trim().toLowerCase()));
  if (!isEncoded) return;
  throw new HttpError(415, REFUSED, `Unsupported Media Type: send the body as it is, not as '${encoding}'`, {
    headers: { "accept-encoding": "identity" },
  });
}

/**
 * Hands over each chunk of a body, to its end. Not `for await`: leaving it early
 * destroys the connection, and with it the answer.
 *
 * @throws what `take` throws, the reason of `stop`, or an error when the client goes away
 */
async function consume(request: IncomingMessage, take: (chunk: Buffer) => void, stop: AbortSignal): Promise<void> {
  if (request.readableEnded) return;
  const { promise, resolve, reject } = Promise.withResolvers<undefined>();
  const onData = (chunk: Buffer) => {
    try {
      take(chunk);
    } catch (error) {
      reject(error);
    }
  };
  const onEnd = () => {
    resolve(undefined);
  };
  const onStop = () => {
    reject(stop.reason);
  };
  request.on("data", onData).once("end", onEnd).once("error", reject);
  stop.addEventListener("abort", onStop);
  // An error would have no listener by now.
  if (request.destroyed) reject(new Error("the client has gone"));
  try {
    await promise;
  } finally {
    request.pause();
    request.off("data", onData).off("end", onEnd).off("error", reject);
    stop.removeEventListener("abort", onStop);
  }
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/**
 * How deep objects and arrays are nested, without parsing; brackets inside strings do not count.
 */
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
