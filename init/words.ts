import { UsageError } from "../release/errors.ts";

/**
 * The words of a command line, without a shell: quotes group, and a backslash takes the next
 * character as it is.
 *
 * @throws UsageError for a quote that is not closed
 */
export function words(line: string): string[] {
  const found: string[] = [];
  let word: string | undefined;
  let quote = "";
  for (let index = 0; index < line.length; index++) {
    const character = line.charAt(index);
    if (quote === "" && /\s/.test(character)) {
      if (word !== undefined) found.push(word);
      word = undefined;
    } else if (character === quote) quote = "";
    else if (quote === "" && /["']/.test(character)) {
      quote = character;
      word ??= "";
    } else word = (word ?? "") + (character === "\\" && quote !== "'" ? line.charAt(++index) : character);
  }
  if (quote !== "") throw new UsageError(`--server has a quote ${quote} that is not closed: ${line}`);
  if (word !== undefined) found.push(word);
  return found;
}
