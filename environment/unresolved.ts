/**
 * The paths of values that are known only during an apply, such as an attribute of a resource of
 * another stack. cdktf encodes them in texts, in lists and map keys, in very negative numbers, and
 * in objects with a method `resolve`.
 *
 * @see https://developer.hashicorp.com/terraform/cdktf/concepts/tokens
 */
export function unresolved(value: unknown, path: readonly string[] = []): string[][] {
  if (isToken(value)) return [[...path]];
  if (typeof value !== "object" || value === null || !isPlain(value)) return [];
  return Object.entries(value).flatMap(([key, of]) => (isToken(key) ? [[...path]] : unresolved(of, [...path, key])));
}

/** Numbers below are not written by people: the first bits of an encoded number are 0xFBFF. */
const NUMBER_TOKENS_BELOW = -1e280;

function isToken(value: unknown): boolean {
  if (typeof value === "string") return value.includes("{TfToken[");
  if (typeof value === "number") return value < NUMBER_TOKENS_BELOW;
  return typeof value === "object" && value !== null && "resolve" in value && typeof value.resolve === "function";
}

/** A Zod schema among the values has a tree of its own. */
const isPlain = (value: object) => Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype;
