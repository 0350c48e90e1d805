import { program } from "../program.ts";
import { complete } from "./complete.ts";

/**
 * Prints the candidates for the last word, a line each: the value, a tab, and its description. The last line says which
 * files the shell adds: `:none`, `:files` or `:directories`.
 *
 * Prints nothing if it fails: a message would stand in the middle of the user's command line.
 */
export async function printCompletion(words: readonly string[]): Promise<void> {
  try {
    const { candidates, files } = await complete(program(), words, environments);
    const lines = candidates.map(({ value, description }) => `${value}\t${description}`);
    process.stdout.write(`${[...lines, `:${files}`].join("\n")}\n`);
  } catch {
    process.exitCode = 1;
  }
}

async function environments(): Promise<readonly string[]> {
  const { environmentNames } = await import("../../environment/load.ts");
  return await environmentNames();
}
