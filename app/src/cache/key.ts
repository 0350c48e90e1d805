import { createHash } from "node:crypto";

/** Characters above which a key is replaced by its hash, so that keys cost no more than values. */
const MAX_LENGTH = 128;

/** What is nested deeper has no key, and neither has what contains itself. */
const MAX_DEPTH = 64;

/**
 * One key for arguments that are equal, and another for any that are not, in every process and version: `isDeepStrictEqual` decides. The order of an
 * object's properties makes no difference; `0` and `-0`, `1` and `"1"`, a property that is `undefined` and one that is missing do.
 *
 * Long keys are hashed with SHA-256, so nobody can choose arguments that meet those of another.
 *
 * @throws TypeError for what has no value to compare: functions, symbols, instances of classes, and what contains itself
 */
export function keyOf(args: readonly unknown[]): string {
  const parts: string[] = [];
  write(args, parts, 0);
  // Joined once: a string that was put together bit by bit keeps its bits in memory.
  const key = parts.join("");
  return key.length <= MAX_LENGTH ? key : `#${createHash("sha256").update(key).digest("base64url")}`;
}

/** Each kind begins with characters of its own and says where it ends, so that no two values are written alike. */
function write(value: unknown, parts: string[], depth: number): void {
  switch (typeof value) {
    case "string":
      parts.push(JSON.stringify(value));
      break;
    case "number":
      parts.push(Object.is(value, -0) ? "-0" : String(value));
      break;
    case "bigint":
      parts.push(String(value), "n");
      break;
    case "boolean":
    case "undefined":
      parts.push(String(value));
      break;
    case "object":
      if (value === null) parts.push("null");
      else writeObject(value, parts, depth + 1);
      break;
    case "function":
    case "symbol":
      throw new TypeError(`a ${typeof value} cannot be part of a key`);
  }
}

function writeObject(value: object, parts: string[], depth: number): void {
  if (depth > MAX_DEPTH) throw new TypeError(`a key cannot be nested deeper than ${MAX_DEPTH} levels`);
  if (Object.getOwnPropertySymbols(value).length > 0)
    throw new TypeError("an object with symbols for names cannot be part of a key");
  if (Array.isArray(value)) {
    writeArray(value, parts, depth);
    return;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Date.prototype && value instanceof Date) {
    parts.push("@", String(value.getTime()));
    return;
  }
  if (prototype !== Object.prototype && prototype !== null)
    throw new TypeError(`an instance of ${value.constructor.name} cannot be part of a key: pass what identifies it`);
  parts.push("{");
  for (const [name, item] of Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1))) {
    parts.push(JSON.stringify(name), ":");
    write(item, parts, depth);
    parts.push(",");
  }
  parts.push("}");
}

function writeArray(array: readonly unknown[], parts: string[], depth: number): void {
  let holes = 0;
  parts.push("[");
  for (let index = 0; index < array.length; index += 1) {
    if (index in array) write(array[index], parts, depth);
    else holes += 1;
    // After each item, so that one hole differs from none.
    parts.push(",");
  }
  parts.push("]");
  if (Object.keys(array).length !== array.length - holes)
    throw new TypeError("an array with other properties than its items cannot be part of a key");
}
