/** The caller's error: a tool cannot do what its arguments say. The message says what to do. */
export class ToolInputError extends Error {
  override readonly name: string = "ToolInputError";
}
