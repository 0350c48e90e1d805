/** End of the owner in a key. Keys of clients have no control characters. */
const END = "\u001f";

/** A key or idempotency key in a principal's namespace. `""`: principals are not distinguished. */
export function inNamespace(principal: string, key: string): string {
  return principal === "" ? key : `${encodeURIComponent(principal)}${END}${key}`;
}

/** The owner of a key: its prefix, or `""`. */
export function ownerOf(key: string): string {
  return key.slice(0, key.indexOf(END) + 1);
}

/** The owner of a column in SQL. */
export const ownerOfColumn = (column: string): string => `substr(${column}, 1, instr(${column}, char(31)))`;

/** The reason to refuse a write that exceeds its owner's quota. */
export function overQuota(bytes: number, quota: number): string {
  return `the records that you have stored would take ${bytes} bytes, and may take ${quota}: store less under the keys that you use`;
}
