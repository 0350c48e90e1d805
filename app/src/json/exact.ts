declare global {
  interface JSON {
    parse(
      text: string,
      reviver: (name: string, value: unknown, context: { readonly source?: string }) => unknown,
    ): unknown;
    /** @see https://tc39.es/proposal-json-parse-with-source/ */
    rawJSON(text: string): object;
  }

  interface BigInt {
    toJSON(): object;
  }
}

/**
 * Makes `JSON.stringify` write a bigint as its digits, in the whole process: values of
 * `parseExactly` go to clients through the SDK and custom tools. Without it, `JSON.stringify`
 * throws a TypeError, so no code relies on another form.
 */
BigInt.prototype.toJSON = function () {
  return JSON.rawJSON(String(this));
};

/**
 * Integers that a double cannot hold have at least 16 digits. The start of the pattern excludes
 * most digits inside strings.
 */
const LARGE_INTEGER = /(?:^|[\s:,[])-?\d{16}/;

/** Whether there may be an integer in JSON text that a double cannot hold. */
export function mayHaveLargeIntegers(json: string): boolean {
  return LARGE_INTEGER.test(json);
}

/**
 * Parses JSON text without changing an integer: one that a double cannot hold becomes a bigint. A
 * number with a fraction or an exponent becomes a double, as everywhere. A number too large for a
 * double becomes `Infinity`, an integer as well, so a bigint has at most 309 digits.
 *
 * Text with large integers takes some 0.3 µs a byte, 20 times as long as other text.
 *
 * @throws SyntaxError when it is not JSON
 * @throws RangeError when it has large integers and is nested thousands of levels deep
 */
export function parseExactly(json: string): unknown {
  if (!mayHaveLargeIntegers(json)) return JSON.parse(json);
  return JSON.parse(json, (_name, value, { source = "" }) =>
    typeof value === "number" && isAltered(value, source) ? BigInt(source) : value,
  );
}

/** Whether a double differs from the integer in the text. */
function isAltered(value: number, source: string): boolean {
  return Number.isFinite(value) && !Number.isSafeInteger(value) && /^-?\d+$/.test(source) && String(value) !== source;
}

/**
 * JSON text of exactly this value.
 *
 * @param tooLarge - makes the error for a number that was too large for a double, for which
 *   `JSON.stringify` would write `null`
 */
export function stringifyExactly(value: unknown, tooLarge: () => Error): string {
  return JSON.stringify(value, (_name, item: unknown) => {
    if (typeof item === "number" && !Number.isFinite(item)) throw tooLarge();
    return item;
  });
}
