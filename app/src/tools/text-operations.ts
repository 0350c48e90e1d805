import { subtle } from "node:crypto";
import { promisify } from "node:util";
import { gzip } from "node:zlib";

const pack = promisify(gzip);

/** Characters of one text. An operation takes about 1 ms, and longer ones run on other threads. */
export const MAX_TEXT = 20_000;

export const OPERATIONS = {
  async sha256(text: string) {
    return { sha256: Buffer.from(await subtle.digest("SHA-256", Buffer.from(text))).toString("hex") };
  },

  async gzip_size(text: string) {
    return { bytes: Buffer.byteLength(text), packedBytes: (await pack(text)).byteLength };
  },

  word_count(text: string) {
    const lines = text === "" ? 0 : text.split("\n").length;
    return Promise.resolve({ words: text.match(/\S+/g)?.length ?? 0, lines, characters: text.length });
  },

  json_validate(text: string) {
    try {
      JSON.parse(text);
      return Promise.resolve({ valid: true });
    } catch (error) {
      return Promise.resolve({ valid: false, problem: error instanceof SyntaxError ? error.message : String(error) });
    }
  },
} as const satisfies Record<string, (text: string) => Promise<Readonly<Record<string, string | number | boolean>>>>;

export type OperationName = keyof typeof OPERATIONS;

export const OPERATION_NAMES = [
  "sha256",
  "gzip_size",
  "word_count",
  "json_validate",
] as const satisfies readonly OperationName[];

/** Description for models. */
export const OPERATIONS_SAID =
  "sha256: its hash; gzip_size: its size, plain and packed; word_count: its words, lines and characters; json_validate: whether it is JSON, and if not, why";
