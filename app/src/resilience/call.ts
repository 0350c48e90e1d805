import type { Trace } from "./trace.ts";

/** What policies guard. It gets the call it is made for: pass `call.signal` to whatever can be aborted. */
export type Work<T> = (call: Call) => Promise<T>;

/** Anything that stands around calls. Each works alone, and inside any other. */
export interface Policy {
  execute<T>(work: Work<T>, call?: Call): Promise<T>;
}

/** One call on its way through the policies: who makes it, until when its answer is of use, and whether it still is. */
export interface Call {
  /** Who is calling; what rate limits tell apart. */
  readonly client: string | undefined;

  /** Whether doing the work twice does no more than doing it once. Only such calls are retried. */
  readonly repeatable: boolean;

  /** When the answer stops being of use, on the policies' time; Infinity where nobody has said. */
  readonly deadline: number;

  /** Where what policies decide about it is written down, if anybody wants to know. */
  readonly trace: Trace | undefined;

  readonly cancelled: boolean;

  /** Why it was cancelled: a DeadlineExceeded, or what the caller's signal gave as its reason. */
  readonly reason: Error | undefined;

  /** Aborts when the call is cancelled. Made when it is first read: it costs more than the policies themselves. */
  readonly signal: AbortSignal;

  /** Calls back when the call is cancelled; at once when it is already. */
  onCancel(listener: () => void): void;
  offCancel(listener: () => void): void;
}

export interface CallOptions {
  /** Aborts when the caller no longer wants the answer. */
  readonly signal?: AbortSignal | undefined;

  /** @default - calls without a client share one rate limit */
  readonly client?: string | undefined;

  /** @default false */
  readonly repeatable?: boolean;

  /** @default - nobody wants to know what policies decide about it */
  readonly trace?: Trace | undefined;
}

/** A call as its caller makes it. Only the caller's own signal cancels it; what gives it a deadline is a `Deadline` around it. */
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

/** A call that nobody can cancel, for whoever has nothing to say about it. */
export const PLAIN_CALL: Call = new CallerCall();

/**
 * Starts work, and turns what it throws before its first await into a rejection like any other: policies must hear of both alike.
 */
export function start<T>(work: Work<T>, call: Call): Promise<T> {
  try {
    return work(call);
  } catch (error) {
    return Promise.reject(asError(error));
  }
}

/** The same value where it is an Error; else an Error with it as its cause, since whoever rejects owes one. */
export function asError(reason: unknown): Error {
  return Error.isError(reason) || reason instanceof Error
    ? reason
    : new Error("the call was cancelled or failed without an Error", { cause: reason });
}
