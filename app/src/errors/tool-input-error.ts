/**
 * A tool cannot do what its arguments ask for. The caller's error, and no failure of this server or of an upstream. The
 * message says what to do instead.
 */
export class ToolInputError extends Error {
  override readonly name: string = "ToolInputError";
}
