import { program } from "./program.ts";
import { run } from "./run.ts";

/**
 * The executable: completes a word for a shell, or runs a command line.
 *
 * @param args without the names of Node and of the script
 */
export async function main(args: readonly string[]): Promise<void> {
  if (args[0] === "__complete") {
    const { printCompletion } = await import("./completion/run.ts");
    await printCompletion(args.slice(1));
    return;
  }
  await run(program(), args);
}
