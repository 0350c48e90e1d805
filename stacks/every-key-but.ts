/**
 * A regular expression for every text but one, in Go's syntax, which has no negative lookahead.
 *
 * For `ab` it is `^(|[^a].*|a|a[^b].*|ab.+)$`: a proper prefix, a prefix with another character after it, or a longer text.
 */
export function everyKeyBut(key: string): string {
  const others = Array.from(key, (character, index) => {
    const prefix = quoted(key.slice(0, index));
    return [prefix, `${prefix}[^${quoted(character)}].*`];
  }).flat();
  return `^(${[...others, `${quoted(key)}.+`].join("|")})$`;
}

const quoted = (text: string) => text.replaceAll(/[.\\+*?()|[\]{}^$-]/g, String.raw`\$&`);
