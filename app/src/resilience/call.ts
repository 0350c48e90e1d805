import type { Trace } from "./trace.ts";

/** The work that policies guard. Its call has a `signal` for operations that can be aborted. */
export type Work<T> = (call: Call) => Promise<T>;

/** A policy around calls. Each one works alone or inside any other. */
export interface Policy {
  execute<T>(work: Work<T>, call?: Call): Promise<T>;
}

/** One call on its way through the policies: its caller, deadline and cancellation. */
export interface Call {
  /** The caller. Rate limits count by it. */
  readonly client: string | undefined;

  /** Whether the work may be done twice without harm. Only such calls are retried. */
  readonly repeatable: boolean;

  /** Time after which the answer is no longer useful, on the policies' clock; Infinity for none. */
  readonly deadline: number;

  /** Records the decisions of policies; absent if the call is not traced. */
  readonly trace: Trace | undefined;

  readonly cancelled: boolean;

  /** Why it was cancelled: a DeadlineExceeded, or the reason of the caller's signal. */
  readonly reason: Error | undefined;

  /** Aborts when the call is cancelled. Created on the first read, because it is expensive. */
  readonly signal: AbortSignal;

  /** Calls back when the call is cancelled, at once if it already is. */
  onCancel(listener: () => void): void;
  offCancel(listener: () => void): void;
}

export interface CallOptions {
  /** Aborts when the caller no longer needs the answer. */
  readonly signal?: AbortSignal | undefined;

  /** @default - calls without a client share one rate limit */
  readonly client?: string | undefined;

  readonly repeatable?: boolean;

  /** @default - decisions are not recorded */
  readonly trace?: Trace | undefined;
}

/** A call as its caller makes it. Only the caller's signal cancels it. */
export class CallerCall implements Call {
  readonly client: string | undefined;
  readonly repeatable: boolean;
  readonly deadline = Infinity;
  readonly trace: Trace | undefined;
  #signal: AbortSignal | undefined;

  constructor({ signal, client, repeatable = false, trace }: CallOptions = {}) {
    this.#signal = signal;
    this.client = client;
    this.repeatable = repeatable;
    this.trace = trace;
  }

  get cancelled(): boolean {
    return this.#signal?.aborted === true;
  }

  get reason(): Error | undefined {
    return this.cancelled ? asError(this.#signal?.reason) : undefined;
  }

  get signal(): AbortSignal {
    return (this.#signal ??= new AbortController().signal);
  }

  onCancel(listener: () => void): void {
    if (this.cancelled) listener();
    else this.#signal?.addEventListener("abort", listener, { once: true });
  }

  offCancel(listener: () => void): void {
    this.#signal?.removeEventListener("abort", listener);
  }
}

/** A call without a caller: it cannot be cancelled. */
export const PLAIN_CALL: Call = new CallerCall();

/** Starts work. An error thrown before the first await becomes a rejection. */
export function start<T>(work: Work<T>, call: Call): Promise<T> {
  try {
    return work(call);
  } catch (error) {
    return Promise.reject(asError(error));
  }
}

/** The value if it is an Error, otherwise an Error with the value as its cause. */
export function asError(reason: unknown): Error {
  return Error.isError(reason) || reason instanceof Error
    ? reason
    : new Error("the call was cancelled or failed without an Error", { cause: reason });
}
