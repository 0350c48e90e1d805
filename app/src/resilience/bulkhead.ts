import { asError, PLAIN_CALL, start, type Call, type Policy, type Work } from "./call.ts";
import { Emitter } from "./emitter.ts";
import { thrown, type Rejection } from "./rejection.ts";
import { Alarm, SYSTEM_TIME, type Time } from "./time.ts";

export interface BulkheadOptions {
  readonly name: string;

  /** Calls that may run at the same time, at least 1. */
  readonly maxConcurrent: number;

  /** Calls that may wait for a place. @default 0 */
  readonly maxQueue?: number;

  /** Milliseconds that a call may wait for a place. @default 1000 */
  readonly queueTimeout?: number;

  /** @default SYSTEM_TIME */
  readonly time?: Time;
}

export interface BulkheadStats {
  readonly name: string;
  readonly limit: number;
  readonly inFlight: number;
  readonly queued: number;
  /** Calls turned away since it was made, by why. */
  readonly rejections: Readonly<Record<BulkheadEvent["reason"], number>>;
}

export interface BulkheadEvent {
  readonly type: "rejected";
  readonly name: string;
  readonly reason: "full" | "queue-timeout";
}

let leave: (bulkhead: Bulkhead) => void;

/** A place in the bulkhead; giving it back twice counts once. */
export class Place {
  readonly admitted = true;
  #bulkhead: Bulkhead | undefined;

  constructor(bulkhead: Bulkhead) {
    this.#bulkhead = bulkhead;
  }

  release(): void {
    const bulkhead = this.#bulkhead;
    this.#bulkhead = undefined;
    if (bulkhead !== undefined) leave(bulkhead);
  }
}

/** A call in the queue. It leaves once: with a place, when it has waited too long, or with its caller. */
class Waiter extends Alarm {
  readonly #call: Call;
  readonly #leave: (waiter: Waiter, error: Error | undefined) => void;
  /** Called with the reason it left without a place. */
  readonly #timedOut: () => Error;

  constructor(call: Call, leaveQueue: (waiter: Waiter, error: Error | undefined) => void, timedOut: () => Error) {
    super();
    this.#call = call;
    this.#leave = leaveQueue;
    this.#timedOut = timedOut;
    call.onCancel(this.#cancel);
  }

  readonly #cancel = (): void => {
    this.#leave(this, asError(this.#call.reason));
  };

  admit(): void {
    this.#leave(this, undefined);
  }

  ring(): void {
    this.#leave(this, this.#timedOut());
  }

  forget(): void {
    this.#call.offCancel(this.#cancel);
  }
}

/**
 * Caps how many calls one dependency may hold, so that a slow one cannot take every worker with it: each dependency has its own, and
 * what saturates one leaves the others their share. Those who wait are served in the order in which they came.
 *
 * @see Nygard, Release It!, 2nd ed., "Bulkheads"
 */
export class Bulkhead implements Policy {
  readonly name: string;
  readonly #maxQueue: number;
  readonly #queueTimeout: number;
  readonly #time: Time;
  #limit: number;
  #inFlight = 0;
  readonly #queue = new Set<Waiter>();
  readonly #rejections = { full: 0, "queue-timeout": 0 };
  #events: Emitter<BulkheadEvent> | undefined;

  static {
    leave = (bulkhead) => {
      bulkhead.#leave();
    };
  }

  constructor({ name, maxConcurrent, maxQueue = 0, queueTimeout = 1000, time = SYSTEM_TIME }: BulkheadOptions) {
    if (!(maxConcurrent >= 1)) throw new Error(`'maxConcurrent' (${maxConcurrent}) of '${name}' must be at least 1`);
    this.name = name;
    this.#limit = maxConcurrent;
    this.#maxQueue = maxQueue;
    this.#queueTimeout = queueTimeout;
    this.#time = time;
  }

  get events(): Emitter<BulkheadEvent> {
    return (this.#events ??= new Emitter());
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  get queued(): number {
    return this.#queue.size;
  }

  get limit(): number {
    return this.#limit;
  }

  /** Takes effect at once upwards; downwards, as calls under way end. */
  set limit(limit: number) {
    this.#limit = limit;
    this.#fill();
  }

  get stats(): BulkheadStats {
    const { name, limit, inFlight, queued } = this;
    return { name, limit, inFlight, queued, rejections: this.#rejections };
  }

  /** Takes a place if there is one now; it never queues. */
  tryAcquire(): Place | Rejection {
    if (this.#inFlight >= this.#limit) return this.#reject("full");
    this.#inFlight += 1;
    return new Place(this);
  }

  /**
   * Runs work in a place, waiting for one where the queue has room. A caller who goes away leaves the queue.
   *
   * @throws Rejected, and whatever the work throws
   */
  execute<T>(work: Work<T>, call: Call = PLAIN_CALL): Promise<T> {
    if (call.cancelled) return Promise.reject(asError(call.reason));
    if (this.#inFlight < this.#limit) {
      this.#inFlight += 1;
      return this.#run(work, call);
    }
    if (this.#queue.size >= this.#maxQueue) return Promise.reject(thrown(this.#reject("full"), call.trace));
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

  /** Resolves with a place taken. */
  #wait(call: Call): Promise<void> {
    return new Promise((resolve, reject) => {
      const leaveQueue = (waiter: Waiter, error: Error | undefined) => {
        this.#queue.delete(waiter);
        this.#time.clear(waiter);
        waiter.forget();
        if (error === undefined) resolve();
        else reject(error);
      };
      const waiter = new Waiter(call, leaveQueue, () => thrown(this.#reject("queue-timeout"), call.trace));
      this.#queue.add(waiter);
      this.#time.set(waiter, Math.min(this.#time.now() + this.#queueTimeout, call.deadline));
    });
  }

  #leave(): void {
    this.#inFlight -= 1;
    if (this.#queue.size > 0) this.#fill();
  }

  #fill(): void {
    for (const waiter of this.#queue) {
      if (this.#inFlight >= this.#limit) return;
      this.#inFlight += 1;
      waiter.admit();
    }
  }

  #reject(reason: BulkheadEvent["reason"]): Rejection {
    this.#rejections[reason] += 1;
    this.#events?.emit({ type: "rejected", name: this.name, reason });
    return { admitted: false, reason, policy: this.name, retryAfterMs: 0 };
  }
}
