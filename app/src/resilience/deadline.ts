import { asError, PLAIN_CALL, start, type Call, type Policy, type Work } from "./call.ts";
import { safely } from "./emitter.ts";
import { warnOfProgrammingError } from "./programming-error.ts";
import { SYSTEM_TIME, type Time, type Timer } from "./time.ts";
import type { Trace } from "./trace.ts";

export class DeadlineExceeded extends Error {
  override readonly name = "DeadlineExceeded";

  constructor(milliseconds: number) {
    super(`the call took longer than the ${Math.round(milliseconds)} ms it had`);
  }
}

/**
 * A part of another call. Its own deadline or `cancel` cancels it without the other call; it is
 * cancelled with the other call.
 */
export class NarrowedCall implements Call {
  readonly deadline: number;
  cancelled = false;
  reason: Error | undefined;
  readonly #outer: Call;
  readonly #milliseconds: number;
  readonly #timer: Timer | undefined;
  #controller: AbortController | undefined;
  // There is nearly always one listener, and a Set for it would cost more than the rest of the
  // call.
  #listener: (() => void) | undefined;
  #others: Set<() => void> | undefined;
  readonly #withOuter = (): void => {
    this.cancel(asError(this.#outer.reason));
  };

  /** @param milliseconds - until it is cancelled with a DeadlineExceeded; Infinity for none */
  constructor(outer: Call, milliseconds: number, time: Time) {
    this.#outer = outer;
    const at = milliseconds === Infinity ? Infinity : time.now() + milliseconds;
    const isEarlier = at < outer.deadline;
    this.deadline = isEarlier ? at : outer.deadline;
    this.#milliseconds = isEarlier || milliseconds === Infinity ? milliseconds : outer.deadline - at + milliseconds;
    outer.onCancel(this.#withOuter);
    if (this.deadline !== Infinity && !this.cancelled)
      this.#timer = time.at(this.deadline, () => {
        this.#exceeded();
      });
  }

  get client(): string | undefined {
    return this.#outer.client;
  }

  get repeatable(): boolean {
    return this.#outer.repeatable;
  }

  get trace(): Trace | undefined {
    return this.#outer.trace;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.cancelled) this.#controller.abort(this.reason);
    }
    return this.#controller.signal;
  }

  /** Only the first reason counts. */
  cancel(reason: Error): void {
    if (this.cancelled) return;
    this.cancelled = true;
    this.reason = reason;
    this.end();
    const first = this.#listener;
    const others = this.#others;
    this.#listener = undefined;
    this.#others = undefined;
    if (first !== undefined) safely(first);
    for (const listener of others ?? []) safely(listener);
    this.#controller?.abort(reason);
  }

  /** The work is done: neither the deadline nor the outer call cancels it any more. */
  end(): void {
    this.#timer?.clear();
    this.#outer.offCancel(this.#withOuter);
  }

  onCancel(listener: () => void): void {
    if (this.cancelled) listener();
    else if (this.#listener === undefined) this.#listener = listener;
    else (this.#others ??= new Set()).add(listener);
  }

  offCancel(listener: () => void): void {
    if (this.#listener === listener) this.#listener = undefined;
    else this.#others?.delete(listener);
  }

  #exceeded(): void {
    // The outer deadline reports itself.
    if (this.deadline < this.#outer.deadline)
      this.trace?.decided({ policy: "deadline", decision: "exceeded", took: this.#milliseconds });
    this.cancel(new DeadlineExceeded(this.#milliseconds));
  }
}

/**
 * Gives work a time limit. After it, or when the outer call is cancelled, the promise is rejected
 * at once, even if the work ignores its signal. A later programming error of the work becomes a
 * warning of the process; other later errors are ignored.
 */
export function within<T>(work: Work<T>, outer: Call, milliseconds: number, time: Time): Promise<T> {
  const call = new NarrowedCall(outer, milliseconds, time);
  return new Promise((resolve, reject) => {
    if (call.cancelled) {
      reject(asError(call.reason));
      return;
    }
    call.onCancel(() => {
      reject(asError(call.reason));
    });
    start(work, call).then(
      (result) => {
        call.end();
        resolve(result);
      },
      (error: unknown) => {
        call.end();
        if (call.cancelled) warnOfProgrammingError(error);
        reject(asError(error));
      },
    );
  });
}

export interface DeadlineOptions {
  /** Milliseconds that a call may take, unless an outer deadline is earlier. */
  readonly timeout: number;

  readonly time?: Time;
}

/**
 * Limits the duration of a call. Policies inside see the nearest deadline as `call.deadline`, and
 * the signal aborts at that time. An inner deadline can only be earlier.
 *
 * `execute` throws DeadlineExceeded, or the caller's own reason if that came first.
 */
export class Deadline implements Policy {
  readonly timeout: number;
  readonly #time: Time;

  constructor({ timeout, time = SYSTEM_TIME }: DeadlineOptions) {
    this.timeout = timeout;
    this.#time = time;
  }

  execute<T>(work: Work<T>, call: Call = PLAIN_CALL): Promise<T> {
    return within(work, call, this.timeout, this.#time);
  }
}
