import { asError, PLAIN_CALL, start, type Call, type Work } from "./call.ts";
import { isProgrammingError } from "./programming-error.ts";

export interface FallbackOptions<F> {
  /** The answer in place of an error. */
  readonly answer: (error: unknown, call: Call) => F | Promise<F>;

  /** Errors that it handles; never a programming error. @default - all others */
  readonly handles?: (error: unknown) => boolean;
}

/**
 * Answers in place of a failed call, with an older, coarser or constant value. A caller that has
 * gone away gets the error.
 */
export class Fallback<F> {
  readonly #options: FallbackOptions<F>;

  constructor(options: FallbackOptions<F>) {
    this.#options = options;
  }

  /** @throws errors of `answer`, and errors that it does not handle */
  execute<T>(work: Work<T>, call: Call = PLAIN_CALL): Promise<T | F> {
    return start(work, call).then(undefined, (error: unknown): F | Promise<F> => {
      const isHandled = !isProgrammingError(error) && this.#options.handles?.(error) !== false;
      if (call.cancelled || !isHandled) throw error;
      call.trace?.decided({ policy: "fallback", decision: "answered", details: { instead: asError(error).name } });
      return this.#options.answer(error, call);
    });
  }
}
