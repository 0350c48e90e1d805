import { ToolInputError } from "../errors/tool-input-error.ts";
import { DeadlineExceeded } from "../resilience/deadline.ts";
import { Rejected } from "../resilience/rejection.ts";
import { Retry } from "../resilience/retry.ts";
import type { RetryBudget } from "../resilience/retry-budget.ts";
import { CallerTimeout } from "./request-call.ts";
import { UpstreamFailure } from "./upstream-failure.ts";

/** One attempt of a request, and its result. */
export interface Attempt {
  readonly status?: number;
  /** The reason if there was no usable answer. */
  readonly error?: string;
  /** Milliseconds of the pause before it. */
  readonly waitedMs: number;
  readonly durationMs: number;
}

export interface AttemptsOptions {
  /** Attempts with the first one; more than one only for a repeatable request. @default 1 */
  readonly attempts?: number | undefined;
  /** Shortest pause in milliseconds. @default 100 */
  readonly baseDelay?: number | undefined;
  readonly onAttempt?: ((attempt: Attempt) => void) | undefined;
}

/** The attempts of one request: retries within the upstream's budget, each one reported. */
export class Attempts {
  readonly retry: Retry;
  readonly #onAttempt: (attempt: Attempt) => void;
  #waitedMs = 0;
  /** Error of the latest attempt, during the pause after it. */
  #failure: unknown;

  constructor(name: string, budget: RetryBudget, { attempts = 1, baseDelay = 100, onAttempt }: AttemptsOptions) {
    this.retry = new Retry({ name, attempts, baseDelay, budget, isRetryable: isTransient });
    this.#onAttempt = onAttempt ?? (() => undefined);
    this.retry.events.on((event) => {
      if (event.type === "retry") this.#waitedMs = Math.round(event.delayMs);
    });
  }

  /**
   * The result of all attempts. If the client's timeout ends during a pause, its error is the error
   * before the pause.
   */
  async outcome<T>(answer: Promise<T>): Promise<T> {
    try {
      return await answer;
    } catch (error) {
      throw error instanceof CallerTimeout ? (this.#failure ?? error) : error;
    }
  }

  /** Makes one attempt. A call that a policy rejects is not an attempt. */
  async make<T extends { readonly status: number }>(attempt: () => Promise<T>): Promise<T> {
    const startedAt = performance.now();
    const waitedMs = this.#waitedMs;
    this.#failure = undefined;
    const ended = (how: Pick<Attempt, "status" | "error">) => {
      this.#onAttempt({ ...how, waitedMs, durationMs: Math.round(performance.now() - startedAt) });
    };
    try {
      const answer = await attempt();
      ended({ status: answer.status });
      return answer;
    } catch (error) {
      if (error instanceof UpstreamFailure)
        ended({ error: error.message, ...(error.status === undefined ? {} : { status: error.status }) });
      else if (error instanceof DeadlineExceeded) ended({ error: error.message });
      if (!(error instanceof CallerTimeout)) this.#failure = error;
      throw error;
    }
  }
}

/** Whether a retry may succeed. */
export function isTransient(error: unknown): boolean {
  if (error instanceof UpstreamFailure) return error.isTransient;
  return !(error instanceof ToolInputError || error instanceof Rejected);
}
