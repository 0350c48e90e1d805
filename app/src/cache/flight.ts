import { asError, CallerCall, PLAIN_CALL, type Call } from "../resilience/call.ts";
import { NarrowedCall } from "../resilience/deadline.ts";
import type { Time } from "../resilience/time.ts";

/**
 * One value on its way, and everybody who waits for it. Who goes away stops waiting; when all have, the work is cancelled.
 */
export class Flight<T> {
  /** For the work: it ends when its time is over or nobody wants the answer. */
  readonly call: NarrowedCall;
  /** Whether the value was invalidated meanwhile: it still answers those who wait, but may not be kept. */
  isObsolete = false;
  /** Whether that may have been missed: what it brings is not taken for fresh. */
  isDoubtful = false;
  #answer = unheard<T>();
  #waiting = 0;
  #goesOn = false;

  /**
   * @param timeout milliseconds that the work may take
   * @param first the call it is begun for, in whose trace it shows
   */
  constructor(timeout: number, time: Time, first: Call) {
    // What loads a value may be done twice: it always is, once the value is too old.
    const own = new CallerCall({ repeatable: true, trace: first.trace });
    this.call = new NarrowedCall(own, timeout, time);
  }

  /** Calls that wait. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Whether anybody has use for the value. */
  get isWanted(): boolean {
    return this.#goesOn || this.#waiting > 0;
  }

  /** Waits for the value as long as the call is not cancelled. */
  join(call: Call): Promise<T> {
    this.#waiting += 1;
    if (call === PLAIN_CALL) return this.#answer.promise;
    return new Promise((resolve, reject) => {
      const leave = () => {
        reject(asError(call.reason));
        this.#waiting -= 1;
        if (!this.isWanted) this.call.cancel(new Error("nobody waits for the value any more"));
      };
      call.onCancel(leave);
      this.#answer.promise.then(
        (value) => {
          call.offCancel(leave);
          resolve(value);
        },
        (error: unknown) => {
          call.offCancel(leave);
          reject(asError(error));
        },
      );
    });
  }

  /** Goes on without anybody. */
  keepGoing(): void {
    this.#goesOn = true;
  }

  /** Answers those who wait now, and goes on for who comes later. */
  answerMeanwhile(value: T): void {
    this.#answer.resolve(value);
    this.#answer = unheard<T>();
    this.#waiting = 0;
    this.#goesOn = true;
  }

  answer(value: T): void {
    this.#answer.resolve(value);
  }

  fail(error: unknown): void {
    this.#answer.reject(asError(error));
  }
}

/** An answer that may fail without anybody hearing of it: a flight may fly for nobody, as when it only refreshes. */
function unheard<T>(): PromiseWithResolvers<T> {
  const answer = Promise.withResolvers<T>();
  answer.promise.catch(() => undefined);
  return answer;
}
