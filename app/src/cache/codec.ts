import { promisify } from "node:util";
import { brotliCompress, brotliDecompress, constants } from "node:zlib";
import type { z } from "zod";

/** Largest entry in Redis and its JSON text, in bytes. Larger values stay local. */
export const MAX_STORED_BYTES = 1024 * 1024;
const MAX_TEXT_BYTES = 8 * 1024 * 1024;

/** Format of an entry: its first byte. */
const PLAIN = 0;
const BROTLI = 1;

/** The fastest quality of brotli: others save little more and take several times as long. */
const FASTEST = { params: { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MIN_QUALITY + 1 } };

const compress = promisify(brotliCompress);
const decompress = promisify(brotliDecompress);

/** The name `__proto__` in any spelling of JSON. No cached value has this property. */
const PROTOTYPE =
  /"(?:_|\\u005f){2}(?:p|\\u0070)(?:r|\\u0072)(?:o|\\u006f)(?:t|\\u0074)(?:o|\\u006f)(?:_|\\u005f){2}"\s*:/i;

export class BadEntry extends Error {
  override readonly name = "BadEntry";
}

/**
 * Encodes and decodes values. Entries are untrusted, because others may write to Redis: their size
 * is limited and their shape is checked.
 */
export class Codec<V> {
  readonly #schema: z.ZodType<V>;
  readonly #compressAbove: number;

  /** @param compressAbove - bytes of JSON above which an entry is compressed, on another thread */
  constructor(schema: z.ZodType<V>, compressAbove: number) {
    this.#schema = schema;
    this.#compressAbove = compressAbove;
  }

  /** Undefined for a value that is too large. @throws TypeError if JSON cannot represent it */
  async encode(value: V): Promise<Buffer | undefined> {
    const json = JSON.stringify(value);
    const bytes = Buffer.byteLength(json);
    if (bytes > MAX_TEXT_BYTES) return undefined;
    const entry =
      bytes <= this.#compressAbove
        ? Buffer.concat([Buffer.of(PLAIN), Buffer.from(json)])
        : Buffer.concat([Buffer.of(BROTLI), await compress(json, FASTEST)]);
    return entry.length > MAX_STORED_BYTES ? undefined : entry;
  }

  /** @throws BadEntry */
  async decode(entry: Buffer): Promise<V> {
    const json = await textOf(entry);
    if (PROTOTYPE.test(json)) throw new BadEntry("the entry names a prototype");
    const result = this.#schema.safeParse(parse(json));
    if (!result.success) throw new BadEntry(`the entry has another shape: ${result.error.message}`);
    return result.data;
  }
}

async function textOf(entry: Buffer): Promise<string> {
  const rest = entry.subarray(1);
  if (entry[0] === PLAIN) return rest.toString();
  if (entry[0] !== BROTLI) throw new BadEntry(`the entry is in the unknown format ${String(entry[0])}`);
  try {
    return (await decompress(rest, { maxOutputLength: MAX_TEXT_BYTES })).toString();
  } catch (error) {
    throw new BadEntry("the entry cannot be decompressed", { cause: error });
  }
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch (error) {
    throw new BadEntry("the entry is no JSON", { cause: error });
  }
}
