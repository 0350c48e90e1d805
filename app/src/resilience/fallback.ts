import { asError, PLAIN_CALL, start, type Call, type Work } from "./call.ts";
import { isProgrammingError } from "./programming-error.ts";

export interface FallbackOptions<F> {
  /** What to answer in place of an error. */
  readonly answer: (error: unknown, call: Call) => F | Promise<F>;

  /** Which errors it stands in for; never for a programming error. @default - all others */
  readonly handles?: (error: unknown) => boolean;
}

/**
 * Answers in place of what failed: with something older, coarser or constant, that is better than nothing. A caller who has gone away
 * needs no answer and gets the error.
 */
export class Fallback<F> {
  readonly #options: FallbackOptions<F>;

  constructor(options: FallbackOptions<F>) {
    this.#options = options;
  }

  /** @throws what `answer` throws, and errors that it does not handle */
  execute<T>(work: Work<T>, call: Call = PLAIN_CALL): Promise<T | F> {
    return start(work, call).then(undefined, (error: unknown): F | Promise<F> => {
      const isHandled = !isProgrammingError(error) && this.#options.handles?.(error) !== false;
      if (call.cancelled || !isHandled) throw error;
      call.trace?.decided({ policy: "fallback", decision: "answered", details: { instead: asError(error).name } });
      return this.#options.answer(error, call);
    });
  }
}
