import { helpExitCode, type CliCommand } from "./command.ts";

/**
 * Runs one command line and sets the exit code of the process: 2 for wrong usage, before any action has started.
 *
 * @param args without the names of Node and of the script
 */
export async function run(program: CliCommand, args: readonly string[]): Promise<void> {
  // A reader such as `head` may close the output early. That is no fault, and a release stops by a listener of its own.
  process.stdout.on("error", () => undefined);
  // Node's own exit code for an error that nothing awaited is 1, which means `aborted` for a release.
  process.on("uncaughtException", (error) => {
    void report(error, args).finally(() => process.exit());
  });
  try {
    await program.parseAsync(args, { from: "user" });
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
