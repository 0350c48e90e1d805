import { asError, CallerCall, PLAIN_CALL, start, type Call, type Work } from "../resilience/call.ts";
import { NarrowedCall } from "../resilience/deadline.ts";
import { warnOfProgrammingError } from "../resilience/programming-error.ts";
import type { Time } from "../resilience/time.ts";

interface Flight<T> {
  readonly call: NarrowedCall;
  readonly answer: Promise<T>;
  /** Callers that wait; Infinity for background work. */
  waiting: number;
}

/**
 * Runs the work of a key once for all concurrent callers. Cancelling a caller ends only its own
 * wait; the work is cancelled when no caller is left.
 */
export class SingleFlight<T> {
  readonly #time: Time;
  readonly #flights = new Map<string, Flight<T>>();

  constructor(time: Time) {
    this.#time = time;
  }

  has(key: string): boolean {
    return this.#flights.has(key);
  }

  /**
   * Joins the work in progress, or starts it in the caller's trace.
   *
   * @throws the work's error, or the call's own reason
   */
  run(key: string, work: Work<T>, call: Call): Promise<T> {
    const flight = this.#flights.get(key) ?? this.#start(key, work, call);
    flight.waiting += 1;
    if (call === PLAIN_CALL) return flight.answer;
    return new Promise((resolve, reject) => {
      const leave = () => {
        reject(asError(call.reason));
        flight.waiting -= 1;
        if (flight.waiting > 0) return;
        this.#end(key, flight);
        flight.call.cancel(new Error("no caller waits for it"));
      };
      call.onCancel(leave);
      flight.answer.then(resolve, reject).finally(() => {
        call.offCancel(leave);
      });
    });
  }

  /** Starts the work in the background, unless it is in progress. */
  runInBackground(key: string, work: Work<T>, call: Call): void {
    if (!this.#flights.has(key)) this.#start(key, work, call).waiting = Infinity;
  }

  #start(key: string, work: Work<T>, { client, trace }: Call): Flight<T> {
    const own = new CallerCall({ client, repeatable: true, trace });
    const call = new NarrowedCall(own, Infinity, this.#time);
    const answer = start(work, call).finally(() => {
      this.#end(key, flight);
    });
    const flight = { call, answer, waiting: 0 };
    answer.catch((error: unknown) => {
      // Background work has no caller that handles it.
      if (flight.waiting === 0 || flight.waiting === Infinity) warnOfProgrammingError(error);
    });
    this.#flights.set(key, flight);
    return flight;
  }

  #end(key: string, flight: Flight<T>): void {
    if (this.#flights.get(key) === flight) this.#flights.delete(key);
  }
}
