import type { Transform } from "node:stream";
import { finished } from "node:stream/promises";
import { createBrotliDecompress, createGunzip, createInflate, createInflateRaw } from "node:zlib";
import { CollectedBytes } from "../collected-bytes.ts";
import { codeOf } from "./upstream-failure.ts";

/** The body of a message, as far as it was read. */
export interface Body {
  readonly body: Buffer;
  /** Whether the body was longer. */
  readonly truncated: boolean;
  /** The reason why the body cannot be decoded; `body` is then empty. */
  readonly unreadable?: string;
}

/** Codings of one body. Each one costs a pass over the body, and nobody needs two. */
const MAX_CODINGS = 4;

/** Characters of an unknown coding's name in a message. */
const MAX_NAME = 40;

const DECODERS: Readonly<Record<string, (body: Buffer) => Transform>> = {
  gzip: () => createGunzip(),
  "x-gzip": () => createGunzip(),
  deflate: (body) => (isZlib(body) ? createInflate() : createInflateRaw()),
  br: () => createBrotliDecompress(),
};

export const ACCEPTED_CODINGS = Object.keys(DECODERS).join(", ");

/**
 * Decodes a body. A body that cannot be decoded is a value and not an error, because the request
 * was done: an error would repeat it or report it as failed.
 *
 * @param contentEncoding - the header: codings in the order in which they were applied
 * @param maxBytes - of the decoded body; the rest is cut off
 * @see https://www.rfc-editor.org/rfc/rfc9110#name-content-encoding
 */
export async function decoded(encoded: Body, contentEncoding: string, maxBytes: number): Promise<Body> {
  const codings = contentEncoding
    .split(",")
    .map((coding) => coding.trim().toLowerCase())
    // RFC 9110: empty list elements are ignored.
    .filter((coding) => coding !== "" && coding !== "identity");
  // Some servers name a coding for an empty body.
  if (encoded.body.byteLength === 0) return encoded;
  if (codings.length > MAX_CODINGS) return unreadable(`it has more than ${MAX_CODINGS} codings`);
  let result = encoded;
  for (const coding of codings.reverse()) {
    if (result.unreadable === undefined) result = await decodeOne(result, coding, maxBytes);
  }
  return result;
}

async function decodeOne({ body, truncated }: Body, coding: string, maxBytes: number): Promise<Body> {
  const decoder = Object.hasOwn(DECODERS, coding) ? DECODERS[coding]?.(body) : undefined;
  if (decoder === undefined) return unreadable(`its coding was not requested: '${coding.slice(0, MAX_NAME)}'`);
  const collected = new CollectedBytes();
  decoder.on("data", (chunk: Buffer) => {
    collected.add(chunk);
    if (collected.length > maxBytes) decoder.destroy();
  });
  decoder.end(body);
  const error: unknown = await finished(decoder).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  // If the data end too early, the decoded part is the beginning of the body.
  const isCut = collected.length > maxBytes || codeOf(error) === "Z_BUF_ERROR";
  if (error !== undefined && !isCut) return unreadable(`it is not in the coding '${coding}' that it names`);
  return { body: collected.bytes.subarray(0, maxBytes), truncated: truncated || isCut };
}

function unreadable(why: string): Body {
  return { body: Buffer.alloc(0), truncated: false, unreadable: why };
}

/**
 * Whether data begin with a zlib header, as the coding `deflate` says. Some servers send the bare
 * data instead.
 *
 * @see https://www.rfc-editor.org/rfc/rfc1950#section-2.2
 */
function isZlib(body: Buffer): boolean {
  return body.byteLength >= 2 && (body.readUInt8(0) & 0x0f) === 8 && body.readUInt16BE(0) % 31 === 0;
}
