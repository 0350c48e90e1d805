/** A value as a message shows it: in one line, cut where it is long. */
export function shown(value: unknown): string {
  if (typeof value === "string") return `'${value.length > 60 ? `${value.slice(0, 60)}…` : value}'`;
  if (typeof value === "object" && value !== null) return Array.isArray(value) ? "a list" : "a group of fields";
  const text = String(value);
  return text === "undefined" ? "nothing" : text;
}
