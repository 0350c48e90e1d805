import { helpExitCode } from "./command.ts";
import { program } from "./program.ts";

/**
 * Runs one command line and sets the exit code of the process.
 *
 * @param args without the names of Node and of the script
 */
export async function main(args: readonly string[]): Promise<void> {
  // A reader such as `head` may close the output early. That is no fault, and a release stops by a listener of its own.
  process.stdout.on("error", () => undefined);
  // Node's own exit code for an error that nothing awaited is 1, which means `aborted` for a release.
  process.on("uncaughtException", (error) => {
    void report(error, args).finally(() => process.exit());
  });
  if (args[0] === "__complete") {
    const { printCompletion } = await import("./completion/run.ts");
    await printCompletion(args.slice(1));
    return;
  }
  try {
    await program().parseAsync(args, { from: "user" });
  } catch (error) {
    await report(error, args);
  }
}

async function report(error: unknown, args: readonly string[]): Promise<void> {
  const code = helpExitCode(error);
  if (code !== undefined) {
    process.exitCode = code;
    return;
  }
  // Loads only here: the classes of errors come with the modules that throw them.
  const { reportFailure } = await import("./failure.ts");
  reportFailure(error, args);
}
