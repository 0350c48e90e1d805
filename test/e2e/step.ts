export interface Step {
  /** What is shown, as a sentence. */
  readonly name: string;
  /** Environment variables without which the step is skipped, and says so. @default none */
  readonly needs?: readonly string[];
  /** Whether every other step needs it, or has to be cleaned up by it. @default false */
  readonly isFrame?: boolean;
  /** Returns in a few words what was seen; throws if it was not as it must be. */
  readonly run: () => Promise<string>;
}
