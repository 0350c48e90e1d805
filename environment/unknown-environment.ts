/**
 * There is no environment of that name, or no project to look for it in. The message says what
 * there is.
 */
export class UnknownEnvironment extends Error {
  override readonly name = "UnknownEnvironment";
}
