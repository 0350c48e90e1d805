import { InvalidEnvironment } from "../environment/environment.ts";
import { UnknownEnvironment } from "../environment/load.ts";
import { InvalidKubeconfig } from "../kubeconfig/invalid-kubeconfig.ts";
import { TargetRefused, TargetUnreachable, UsageError } from "../release/errors.ts";
import type { ReleaseResult } from "../release/events.ts";
import { EXIT_CODES } from "../release/exit-codes.ts";
import { printer, type Print } from "../release/print.ts";

/** Prints the result of a release command and sets its exit code. */
export function finish(print: Print, result: ReleaseResult): void {
  print({ type: "result", ...result });
  process.exitCode = EXIT_CODES[result.result];
}

/**
 * Reports an error of any command and sets the exit code. Anything that a user or an operator can correct is a message. The
 * stack trace is shown only with `--debug`.
 */
export function reportFailure(error: unknown, args: readonly string[]): void {
  if (args.includes("--debug") && error instanceof Error) process.stderr.write(`${error.stack ?? ""}\n`);
  finish(printer(args[0] === "release" && wantsJson(args)), resultOf(error, args));
}

function resultOf(error: unknown, args: readonly string[]): ReleaseResult {
  const reason = error instanceof Error ? error.message : String(error);
  if (error instanceof TargetUnreachable || error instanceof TargetRefused) return { result: "not-started", reason };
  const usage = [UsageError, InvalidEnvironment, UnknownEnvironment, InvalidKubeconfig];
  if (usage.some((kind) => error instanceof kind)) return { result: "usage", reason };
  const taken = portInUse(error);
  if (taken !== undefined) return { result: "usage", reason: taken };
  const state = args[0] === "release" ? "check the state with 'mcp-bluegreen release status'; " : "";
  return { result: "crash", reason: `a fault of this command: ${reason}; ${state}--debug shows where` };
}

function portInUse(error: unknown): string | undefined {
  if (!(error instanceof Error && "code" in error && error.code === "EADDRINUSE" && "port" in error)) return undefined;
  return `port ${String(error.port)} is in use; name another one with --port, or end the program that listens there`;
}

/** The options could not be parsed, or may not be: so the words themselves are read. */
function wantsJson(args: readonly string[]): boolean {
  return args.some(
    (arg, index) =>
      ["--json", "-ojson", "-o=json", "--output=json"].includes(arg) ||
      (["-o", "--output"].includes(arg) && args[index + 1] === "json"),
  );
}
