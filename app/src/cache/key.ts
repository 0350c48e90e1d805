import { createHash } from "node:crypto";

/** Characters above which a key is replaced by its hash, to limit memory. */
const MAX_LENGTH = 128;

/**
 * A key for arguments: equal for equal JSON, in any order of properties, and different for
 * different JSON. Digests of stored writes use it, so the format must not change.
 */
export function keyOf(args: readonly unknown[]): string {
  const parts: string[] = [];
  write(args, parts);
  // Concatenation would keep all parts in memory.
  const key = parts.join("");
  return key.length <= MAX_LENGTH ? key : `#${createHash("sha256").update(key).digest("base64url")}`;
}

function write(value: unknown, parts: string[]): void {
  if (Array.isArray(value)) {
    parts.push("[");
    for (const item of value) {
      write(item, parts);
      parts.push(",");
    }
    parts.push("]");
  } else if (typeof value === "object" && value !== null) {
    parts.push("{");
    for (const [name, item] of Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1))) {
      parts.push(JSON.stringify(name), ":");
      write(item, parts);
      parts.push(",");
    }
    parts.push("}");
  } else if (typeof value === "string") parts.push(JSON.stringify(value));
  else if (typeof value === "bigint") parts.push(String(value), "n");
  else parts.push(Object.is(value, -0) ? "-0" : String(value));
}
