import { asError, PLAIN_CALL, start, type Call, type Policy, type Work } from "./call.ts";
import { DeadlineExceeded } from "./deadline.ts";
import { FairQueue } from "./fair-queue.ts";
import { thrown, type Rejection } from "./rejection.ts";
import { SYSTEM_TIME, type Time } from "./time.ts";

export interface BulkheadOptions {
  readonly name: string;

  /** Calls that may run at the same time, at least 1. */
  readonly maxConcurrent: number;

  /** Calls that may wait for a slot. @default 0 */
  readonly maxQueue?: number;

  /** Milliseconds that a call may wait for a slot. @default 1000 */
  readonly queueTimeout?: number;

  readonly time?: Time;
}

export interface BulkheadStats {
  readonly name: string;
  readonly limit: number;
  readonly inFlight: number;
  readonly queued: number;
  /** Rejected calls since it was made, by reason. */
  readonly rejections: Readonly<Record<"full" | "queue-timeout", number>>;
}

/** A call in the queue. It leaves once: with a slot, or with the reason for its rejection. */
interface Waiter {
  readonly leave: (error?: Error) => void;
  readonly reject: (reason: keyof BulkheadStats["rejections"]) => void;
}

/**
 * Limits the concurrent calls to one dependency, so that a slow dependency cannot use all
 * resources.
 *
 * Clients that wait take turns. When the queue is full, the client with the most calls in it loses
 * one to a client with fewer, so that no client can fill it for all.
 *
 * @see Nygard, Release It!, 2nd ed., "Bulkheads"
 */
export class Bulkhead implements Policy {
  readonly name: string;
  readonly #limit: number;
  readonly #maxQueue: number;
  readonly #queueTimeout: number;
  readonly #time: Time;
  readonly #queue = new FairQueue<Waiter>();
  readonly #rejections = { full: 0, "queue-timeout": 0 };
  #inFlight = 0;

  constructor({ name, maxConcurrent, maxQueue = 0, queueTimeout = 1000, time = SYSTEM_TIME }: BulkheadOptions) {
    if (!(maxConcurrent >= 1)) throw new Error(`'maxConcurrent' (${maxConcurrent}) of '${name}' must be at least 1`);
    this.name = name;
    this.#limit = maxConcurrent;
    this.#maxQueue = maxQueue;
    this.#queueTimeout = queueTimeout;
    this.#time = time;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  get queued(): number {
    return this.#queue.size;
  }

  get stats(): BulkheadStats {
    const { name, inFlight, queued } = this;
    return { name, limit: this.#limit, inFlight, queued, rejections: this.#rejections };
  }

  /**
   * Runs work in a slot, waiting for one where the queue has room. A cancelled call leaves the
   * queue.
   *
   * @throws Rejected, and whatever the work throws
   */
  execute<T>(work: Work<T>, call: Call = PLAIN_CALL): Promise<T> {
    if (call.cancelled) return Promise.reject(asError(call.reason));
    if (this.#inFlight < this.#limit) {
      this.#inFlight += 1;
      return this.#run(work, call);
    }
    if (!this.#hasRoom(call)) return Promise.reject(thrown(this.#reject("full"), call.trace));
    const since = this.#time.now();
    return this.#wait(call).then(() => {
      if (call.cancelled) {
        this.#leave();
        throw asError(call.reason);
      }
      const took = this.#time.now() - since;
      call.trace?.decided({ policy: "bulkhead", name: this.name, decision: "admitted", took });
      return this.#run(work, call);
    });
  }

  #run<T>(work: Work<T>, call: Call): Promise<T> {
    return start(work, call).then(
      (result) => {
        this.#leave();
        return result;
      },
      (error: unknown) => {
        this.#leave();
        throw error;
      },
    );
  }

  #hasRoom({ client }: Call): boolean {
    if (this.#queue.size < this.#maxQueue) return true;
    const surplus = this.#maxQueue > 0 ? this.#queue.surplus(client) : undefined;
    surplus?.reject("full");
    return surplus !== undefined;
  }

  /** Resolves when a slot is taken. */
  #wait(call: Call): Promise<void> {
    return new Promise((resolve, reject) => {
      const cancel = () => {
        if (call.reason instanceof DeadlineExceeded) this.#rejections["queue-timeout"] += 1;
        waiter.leave(asError(call.reason));
      };
      const waiter: Waiter = {
        leave: (error) => {
          this.#queue.remove(call.client, waiter);
          timer.clear();
          call.offCancel(cancel);
          if (error === undefined) resolve();
          else reject(error);
        },
        reject: (reason) => {
          waiter.leave(thrown(this.#reject(reason), call.trace));
        },
      };
      const timer = this.#time.at(this.#time.now() + this.#queueTimeout, () => {
        waiter.reject("queue-timeout");
      });
      this.#queue.push(call.client, waiter);
      call.onCancel(cancel);
    });
  }

  #leave(): void {
    this.#inFlight -= 1;
    const next = this.#inFlight < this.#limit ? this.#queue.shift() : undefined;
    if (next === undefined) return;
    this.#inFlight += 1;
    next.leave();
  }

  #reject(reason: keyof BulkheadStats["rejections"]): Rejection {
    this.#rejections[reason] += 1;
    return { admitted: false, reason, policy: this.name, retryAfterMs: 0 };
  }
}
