import { createHash } from "node:crypto";

/** Characters above which a key is replaced by its hash, so that keys cost no more than values. */
const MAX_LENGTH = 128;

/**
 * The key of arguments: equal for equal JSON, whatever the order of an object's properties, and
 * different for different JSON. Digests of stored writes are such keys, so its format must not change.
 */
export function keyOf(args: readonly unknown[]): string {
  const key = write(args);
  return key.length <= MAX_LENGTH ? key : `#${createHash("sha256").update(key).digest("base64url")}`;
}

function write(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((item) => `${write(item)},`).join("")}]`;
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1));
    return `{${entries.map(([name, item]) => `${JSON.stringify(name)}:${write(item)},`).join("")}}`;
  }
  if (typeof value === "string") return JSON.stringify(value);
  return Object.is(value, -0) ? "-0" : String(value);
}
