/**
 * The same value with every text escaped, so that Terraform takes `${…}` and `%{…}` in it as they stand and evaluates
 * nothing. A user's text must pass this before it becomes part of a stack.
 *
 * @throws Error if a text contains a token of cdktf, which no escape stops
 * @see https://developer.hashicorp.com/terraform/language/expressions/strings#escape-sequences
 */
export function literal<T>(value: T): T {
  return escaped(value) as T;
}

function escaped(value: unknown): unknown {
  if (typeof value === "string") return escapedText(value);
  if (Array.isArray(value)) return value.map(escaped);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, of]) => [escapedText(key), escaped(of)]));
}

function escapedText(text: string): string {
  if (text.includes("${TfToken[")) throw new Error(`'${text.slice(0, 100)}' contains a token of cdktf, '\${TfToken[…'`);
  return text.replaceAll(/[$%](?=\{)/g, (sign) => sign + sign);
}
