import { UsageError } from "../../errors.ts";

/** `NAME=value` before the program. */
const ASSIGNMENT = /^[A-Za-z_]\w*=/;

/**
 * Splits a command line into its words: quotes and backslashes mean what they mean in a shell, and
 * nothing else does.
 *
 * Variables before the program are set by `env`, as a shell would. The line is not run by a shell,
 * because that would take the signals that are for the server.
 *
 * @throws UsageError
 */
export function wordsOf(line: string): readonly string[] {
  const words: string[] = [];
  let word: string | undefined;
  let quote = "";
  for (let at = 0; at < line.length; at++) {
    const char = line.charAt(at);
    if (quote === "'" && char !== "'") word = (word ?? "") + char;
    else if (char === quote) quote = "";
    else if (char === "\\" && at + 1 < line.length) word = (word ?? "") + line.charAt(++at);
    else if (quote !== "") word = (word ?? "") + char;
    else if (char === "'" || char === '"') {
      quote = char;
      word ??= "";
    } else if (/\s/.test(char)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (/[|&;<>]/.test(char)) {
      throw new UsageError(
        `--server is one program and not a line for a shell: '${char}' in '${line}'; put it into a script`,
      );
    } else word = (word ?? "") + char;
  }
  if (quote !== "") throw new UsageError(`--server '${line}' has a quote that does not end: ${quote}`);
  if (word !== undefined) words.push(word);
  if (words.every((one) => ASSIGNMENT.test(one))) throw new UsageError(`--server '${line}' names no program`);
  return ASSIGNMENT.test(words[0] ?? "") ? ["env", ...words] : words;
}
