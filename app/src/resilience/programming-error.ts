const NAMES: ReadonlySet<string> = new Set(["TypeError", "ReferenceError", "RangeError", "AssertionError"]);

/**
 * Whether an error shows a mistake in this program and not a failure of a dependency. No policy may
 * hide such an error: none repeats the call, counts it against a dependency or answers in its
 * place.
 *
 * A TypeError with a cause is excluded: `fetch` throws it for a network error. So is a SyntaxError:
 * `JSON.parse` throws it for data.
 */
export function isProgrammingError(error: unknown): boolean {
  return Error.isError(error) && NAMES.has(error.name) && error.cause === undefined;
}

/** Reports a programming error of background work as a warning of the process. */
export function warnOfProgrammingError(error: unknown): void {
  if (!Error.isError(error) || !isProgrammingError(error)) return;
  process.emitWarning(error.message, {
    type: error.name,
    ...(error.stack === undefined ? {} : { detail: error.stack }),
  });
}
