/**
 * An escaped lone surrogate. `JSON.stringify` escapes only lone surrogates. An escape begins after
 * an even number of backslashes; after an odd number, the text is about an escape, and stays.
 */
const LONE_HALF = /(?<!\\)((?:\\\\)*)\\ud[89a-f][0-9a-f]{2}/g;

/** `JSON.stringify` for text that is sent to a client: see `wellFormed`. */
export function stringify(value: unknown): string {
  return replaced(JSON.stringify(value));
}

/**
 * JSON text with U+FFFD in place of each lone surrogate, in names and values. UTF-8 cannot encode a
 * lone surrogate, and strict clients reject the whole message.
 *
 * @param json - UTF-8 as `JSON.stringify` wrote it; other text may surround it, as in an event
 *   stream
 */
export function wellFormed(json: Uint8Array): Uint8Array {
  const bytes = Buffer.from(json.buffer, json.byteOffset, json.byteLength);
  return bytes.includes("\\ud") ? Buffer.from(replaced(bytes.toString())) : bytes;
}

function replaced(json: string): string {
  return json.includes("\\ud") ? json.replace(LONE_HALF, "$1\ufffd") : json;
}
