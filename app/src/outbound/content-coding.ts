import type { Transform } from "node:stream";
import { finished } from "node:stream/promises";
import { createBrotliDecompress, createGunzip, createInflate, createInflateRaw } from "node:zlib";
import { CollectedBytes } from "../collected-bytes.ts";
import { codeOf } from "./upstream-failure.ts";

/** The body of a message, as far as it was read. */
export interface Body {
  readonly body: Buffer;
  /** Whether the body went on. */
  readonly truncated: boolean;
  /** Why the body cannot be decoded; then `body` is empty. */
  readonly unreadable?: string;
}

/** Codings that one body may have. Nobody needs two; each costs a pass over the body. */
const MAX_CODINGS = 4;

/** Characters of an unknown coding's name that are repeated. */
const MAX_NAME = 40;

const DECODERS: Readonly<Record<string, (body: Buffer) => Transform>> = {
  gzip: () => createGunzip(),
  "x-gzip": () => createGunzip(),
  deflate: (body) => (isZlib(body) ? createInflate() : createInflateRaw()),
  br: () => createBrotliDecompress(),
};

/** For the header Accept-Encoding. */
export const ACCEPTED_CODINGS = Object.keys(DECODERS).join(", ");

/**
 * Decodes a body. It has arrived whatever its coding is, so a body that cannot be decoded is a
 * value and not an error: an error would repeat or disown a request that was done.
 *
 * @param contentEncoding - the header: codings in the order in which they were applied
 * @param maxBytes - of the decoded body; the rest is cut off
 * @see https://www.rfc-editor.org/rfc/rfc9110#name-content-encoding
 */
export async function decoded(encoded: Body, contentEncoding: string, maxBytes: number): Promise<Body> {
  const codings = contentEncoding
    .split(",")
    .map((coding) => coding.trim().toLowerCase())
    // An empty element of a list means nothing.
    .filter((coding) => coding !== "" && coding !== "identity");
  // Nothing at all, as a body of no coding is: some servers name a coding all the same.
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
  if (decoder === undefined) return unreadable(`nobody asked for its coding '${coding.slice(0, MAX_NAME)}'`);
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
  // Where the data end too early, what was decoded is the beginning of the body.
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
