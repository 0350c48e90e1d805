import { ToolInputError } from "../errors/tool-input-error.ts";
import { DeadlineExceeded } from "../resilience/deadline.ts";
import { Rejected } from "../resilience/rejection.ts";
import { Retry } from "../resilience/retry.ts";
import type { RetryBudget } from "../resilience/retry-budget.ts";
import { CallerTimeout } from "./request-call.ts";
import { UpstreamFailure } from "./upstream-failure.ts";

/** One request on its way, and how it ended. */
export interface Attempt {
  /** What it was answered with, if it was. */
  readonly status?: number;
  /** Why there was no answer, or none that is of use. */
  readonly error?: string;
  /** Milliseconds waited before it. */
  readonly waitedMs: number;
  readonly durationMs: number;
}

export interface AttemptsOptions {
  /** Times that the request is made at most, the first one included; more than once only if it may be repeated. @default 1 */
  readonly attempts?: number | undefined;
  /** Least milliseconds between two of them. @default 100 */
  readonly baseDelay?: number | undefined;
  /** Hears of each attempt when it has ended. */
  readonly onAttempt?: ((attempt: Attempt) => void) | undefined;
}

/** The attempts of one request: a retry within the upstream's budget that tells how each went. */
export class Attempts {
  readonly retry: Retry;
  readonly #onAttempt: (attempt: Attempt) => void;
  #waitedMs = 0;
  /** Of the latest attempt, if none has followed. */
  #failure: unknown;

  constructor(name: string, budget: RetryBudget, { attempts = 1, baseDelay = 100, onAttempt }: AttemptsOptions) {
    this.retry = new Retry({ name, attempts, baseDelay, budget, isRetryable: isTransient });
    this.#onAttempt = onAttempt ?? (() => undefined);
    this.retry.events.on((event) => {
      if (event.type === "retry") this.#waitedMs = Math.round(event.delayMs);
    });
  }

  /** The outcome of all attempts. A client whose timeout ends in a pause gets the reason of the pause. */
  async outcome<T>(answer: Promise<T>): Promise<T> {
    try {
      return await answer;
    } catch (error) {
      throw error instanceof CallerTimeout ? (this.#failure ?? error) : error;
    }
  }

  /** Makes one attempt. A call that a policy rejects is no attempt. */
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

function isTransient(error: unknown): boolean {
  if (error instanceof UpstreamFailure) return error.isTransient;
  return !(error instanceof ToolInputError || error instanceof Rejected);
}
