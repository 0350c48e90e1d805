import { isUtf8 } from "node:buffer";
import type { IncomingMessage } from "node:http";
import { CollectedBytes } from "../collected-bytes.ts";
import { HttpError, INVALID_REQUEST, PARSE_ERROR, REFUSED } from "../errors/http-error.ts";
import { mayHaveLargeIntegers, parseExactly } from "../json/exact.ts";
import type { BodyShare } from "./body-budget.ts";

/** JSON-RPC needs about ten levels. More could exhaust the stack of a recursive function. */
const MAX_DEPTH = 64;

/** Characters of a body with integers beyond 2⁵³. Parsing takes at most about 80 ms. */
const MAX_EXACT = 256 * 1024;

export interface BodyLimits {
  readonly maxBytes: number;
  readonly share: Pick<BodyShare, "take" | "arrived" | "signal">;
}

/**
 * Reads a body of at most `maxBytes`. Counts the bytes, because Content-Length may be absent.
 *
 * @throws HttpError when it is compressed, too large or not UTF-8; 503 when too many bytes of
 *   bodies are in memory
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
  // Replacement characters would change the sender's text.
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
 * Reads and discards the rest of a body, within limits. A connection that is closed before all of
 * the body was read is reset, and a client that is still writing loses the answer.
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

/** Refuses compressed bodies: a small one can decompress to any size. */
function refuseEncoded({ headers }: IncomingMessage): void {
  const encoding = headers["content-encoding"] ?? "";
  const isEncoded = encoding.split(",").some((coding) => !["", "identity"].includes(coding.trim().toLowerCase()));
  if (!isEncoded) return;
  throw new HttpError(415, REFUSED, `Unsupported Media Type: send the body as it is, not as '${encoding}'`, {
    headers: { "accept-encoding": "identity" },
  });
}

/**
 * Passes each chunk of a body to `take`. Not `for await`: leaving the loop would destroy the
 * connection before the answer.
 *
 * @throws errors of `take`, the reason of `stop`, or an error when the client goes away
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
  // The error event has already been emitted.
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

/** Depth of objects and arrays, without parsing; ignores brackets inside strings. */
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
