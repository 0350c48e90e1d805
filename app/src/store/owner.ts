/** Ends an owner's name in a key. No key that a client gives has control characters in it. */
const END = "\u001f";

/** A key, or an idempotency key, in the namespace of a principal: two principals never share one. `""`: nobody is told apart. */
export function inNamespace(principal: string, key: string): string {
  return principal === "" ? key : `${encodeURIComponent(principal)}${END}${key}`;
}

/** Whose a key is: what it begins with, `""` where nobody was told apart. */
export function ownerOf(key: string): string {
  return key.slice(0, key.indexOf(END) + 1);
}

/** The same for a column in SQL. */
export const ownerOfColumn = (column: string): string => `substr(${column}, 1, instr(${column}, char(31)))`;

/** Why a write is refused whose owner has too much already. */
export function overQuota(bytes: number, quota: number): string {
  return `the records that you have stored would take ${bytes} bytes, and may take ${quota}: store less under the keys that you use`;
}
