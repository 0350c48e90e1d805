import { asError, PLAIN_CALL, start, type Call, type Policy, type Work } from "./call.ts";
import { Emitter } from "./emitter.ts";
import { isProgrammingError } from "./programming-error.ts";
import { Rejected } from "./rejection.ts";
import { RetryBudget } from "./retry-budget.ts";
import { SYSTEM_TIME, type Time } from "./time.ts";

export interface RetryOptions {
  readonly name: string;

  /** Attempts, including the first one. @default 3 */
  readonly attempts?: number;

  /** Shortest pause before another attempt, in milliseconds. @default 100 */
  readonly baseDelay?: number;

  /**
   * Longest pause before another attempt, in milliseconds. There is no retry if the dependency asks
   * for a longer one. @default 10 s
   */
  readonly maxDelay?: number;

  /** @default - its own, for a tenth of the calls */
  readonly budget?: RetryBudget;

  /**
   * Errors that are retried; never a programming error. @default - all others except a rejection by
   * a policy inside
   */
  readonly isRetryable?: (error: unknown) => boolean;

  readonly time?: Time;

  /** From 0 to 1, excluding 1. @default Math.random */
  readonly random?: () => number;
}

export type RetryEvent =
  | { readonly type: "retry"; readonly name: string; readonly attempt: number; readonly delayMs: number }
  | {
      readonly type: "gave-up";
      readonly name: string;
      readonly why: "attempts" | "budget" | "deadline" | "retry-after";
      readonly attempts: number;
    };

/**
 * Retries a failed call if it is repeatable, the error may pass, the deadline leaves time for it,
 * and the budget allows it.
 *
 * A pause is random, between `baseDelay` and three times the last pause, so that callers that
 * failed together do not retry together. An error with `retryAfterMs`, as from a Retry-After
 * header, adds that time.
 *
 * `execute` throws the last attempt's error.
 *
 * @see https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/ for
 *   decorrelated jitter
 */
export class Retry implements Policy {
  readonly name: string;
  readonly #attempts: number;
  readonly #baseDelay: number;
  readonly #maxDelay: number;
  readonly #budget: RetryBudget;
  readonly #isRetryable: (error: unknown) => boolean;
  readonly #time: Time;
  readonly #random: () => number;
  #events: Emitter<RetryEvent> | undefined;

  constructor(options: RetryOptions) {
    this.name = options.name;
    this.#attempts = options.attempts ?? 3;
    this.#baseDelay = options.baseDelay ?? 100;
    this.#maxDelay = options.maxDelay ?? 10_000;
    this.#budget = options.budget ?? new RetryBudget();
    this.#isRetryable = options.isRetryable ?? ((error) => !(error instanceof Rejected));
    this.#time = options.time ?? SYSTEM_TIME;
    this.#random = options.random ?? Math.random;
  }

  get events(): Emitter<RetryEvent> {
    return (this.#events ??= new Emitter());
  }

  execute<T>(work: Work<T>, call: Call = PLAIN_CALL): Promise<T> {
    this.#budget.earn();
    const first = start(work, call);
    if (!call.repeatable) return first;
    return first.then(undefined, (error: unknown) => this.#again(work, call, error));
  }

  async #again<T>(work: Work<T>, call: Call, firstError: unknown): Promise<T> {
    let error = firstError;
    let delay = this.#baseDelay;
    for (let made = 1; !call.cancelled && !isProgrammingError(error) && this.#isRetryable(error); made += 1) {
      const longest = Math.min(this.#maxDelay, 3 * delay);
      delay = this.#baseDelay + this.#random() * Math.max(0, longest - this.#baseDelay);
      const wait = delay + retryAfterOf(error);
      const why = this.#whyNot(made, wait, call, error);
      if (why !== undefined) {
        this.#events?.emit({ type: "gave-up", name: this.name, why, attempts: made });
        const details = { why, attempts: made };
        call.trace?.decided({ policy: "retry", name: this.name, decision: "gave up", details });
        break;
      }
      this.#events?.emit({ type: "retry", name: this.name, attempt: made + 1, delayMs: wait });
      await pause(wait, call, this.#time);
      const details = { attempt: made + 1 };
      call.trace?.decided({ policy: "retry", name: this.name, decision: "retried", took: wait, details });
      try {
        return await start(work, call);
      } catch (next) {
        error = next;
      }
    }
    throw error;
  }

  #whyNot(
    made: number,
    wait: number,
    call: Call,
    error: unknown,
  ): (RetryEvent & { type: "gave-up" })["why"] | undefined {
    if (made >= this.#attempts) return "attempts";
    if (retryAfterOf(error) > this.#maxDelay) return "retry-after";
    if (this.#time.now() + wait >= call.deadline) return "deadline";
    return this.#budget.trySpend() ? undefined : "budget";
  }
}

/** The pause that an error asks for, in milliseconds. */
function retryAfterOf(error: unknown): number {
  if (typeof error !== "object" || error === null || !("retryAfterMs" in error)) return 0;
  const { retryAfterMs } = error;
  return typeof retryAfterMs === "number" && retryAfterMs > 0 ? retryAfterMs : 0;
}

/** Waits; rejects with the call's reason as soon as it is cancelled. */
function pause(milliseconds: number, call: Call, time: Time): Promise<void> {
  return new Promise((resolve, reject) => {
    const cancel = () => {
      timer.clear();
      reject(asError(call.reason));
    };
    const timer = time.at(time.now() + milliseconds, () => {
      call.offCancel(cancel);
      resolve();
    });
    call.onCancel(cancel);
  });
}
