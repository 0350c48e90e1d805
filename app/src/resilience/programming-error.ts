const NAMES: ReadonlySet<string> = new Set(["TypeError", "ReferenceError", "RangeError", "AssertionError"]);

/**
 * Whether an error shows a mistake in this program, and not a failure of what it calls. No policy
 * may hide such an error: none repeats the call, counts it against a dependency or answers in its
 * place.
 *
 * A TypeError with a cause is none: `fetch` throws it for a network error. Neither is a
 * SyntaxError: `JSON.parse` throws it for data.
 */
export function isProgrammingError(error: unknown): boolean {
  return Error.isError(error) && NAMES.has(error.name) && error.cause === undefined;
}

/**
 * Makes a process warning of a programming error that no caller hears of, as in background work
 * that goes on without an answer.
 */
export function warnOfProgrammingError(error: unknown): void {
  if (!Error.isError(error) || !isProgrammingError(error)) return;
  process.emitWarning(error.message, {
    type: error.name,
    ...(error.stack === undefined ? {} : { detail: error.stack }),
  });
}
