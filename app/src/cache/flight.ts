import { asError, CallerCall, PLAIN_CALL, type Call } from "../resilience/call.ts";
import { NarrowedCall } from "../resilience/deadline.ts";
import type { Time } from "../resilience/time.ts";

/** What loads a cache may be done twice: it always is, once a value is too old. */
const REPEATABLE = new CallerCall({ repeatable: true });

/**
 * One value on its way, and everybody who waits for it. Who goes away stops waiting; when all have, the work is cancelled.
 */
export class Flight<T> {
  /** For the work: it ends when its time is over or nobody wants the answer. */
  readonly call: NarrowedCall;
  /** Whether the value was invalidated meanwhile: it still answers those who wait, but may not be kept. */
  isObsolete = false;
  readonly #answer = Promise.withResolvers<T>();
  #waiting = 0;

  /** @param timeout milliseconds that the work may take */
  constructor(timeout: number, time: Time) {
    this.call = new NarrowedCall(REPEATABLE, timeout, time);
    // It may fly for nobody, as when it only refreshes.
    this.#answer.promise.catch(() => undefined);
  }

  get waiting(): number {
    return this.#waiting;
  }

  /** Waits for the value as long as the call is not cancelled. */
  join(call: Call): Promise<T> {
    this.#waiting += 1;
    if (call === PLAIN_CALL) return this.#answer.promise;
    return new Promise((resolve, reject) => {
      const leave = () => {
        reject(asError(call.reason));
        this.#waiting -= 1;
        if (this.#waiting === 0) this.call.cancel(new Error("nobody waits for the value any more"));
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
    this.#waiting += 1;
  }

  /** Answers all who wait and will come; only the first answer counts. */
  answer(value: T): void {
    this.#answer.resolve(value);
  }

  fail(error: unknown): void {
    this.#answer.reject(asError(error));
  }
}
