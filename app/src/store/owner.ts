/** Ends an owner's name in a key. No key that a client gives has control characters in it. */
const END = "\u001f";

/** A key or idempotency key in a principal's namespace. `""`: principals are not told apart. */
export function inNamespace(principal: string, key: string): string {
  return principal === "" ? key : `${encodeURIComponent(principal)}${END}${key}`;
}

/** The owner of a key: its prefix, `""` where principals are not told apart. */
export function ownerOf(key: string): string {
  return key.slice(0, key.indexOf(END) + 1);
}

/** The same for a column in SQL. */
export const ownerOfColumn = (column: string): string => `substr(${column}, 1, instr(${column}, char(31)))`;

/** The reason to refuse a write of an owner who has stored too much. */
export function overQuota(bytes: number, quota: number): string {
  return `the records that you have stored would take ${bytes} bytes, and may take ${quota}: store less under the keys that you use`;
}
