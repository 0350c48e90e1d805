import { PLAIN_CALL, start, type Call, type Policy, type Work } from "./call.ts";
import { thrown, type Rejection } from "./rejection.ts";
import { SYSTEM_TIME, type Time } from "./time.ts";

export interface RateLimiterOptions {
  readonly name: string;

  /** Sustained calls per second of each client. */
  readonly rate: number;

  /** Calls that a client may make at once. @default - the calls of one second, at least 1 */
  readonly burst?: number;

  /** Clients with their own limit, about 100 bytes each. Others share one. @default 10,000 */
  readonly maxClients?: number;

  readonly time?: Time;
}

/** The call may be made. Nothing has to be returned. */
export interface Admission {
  readonly admitted: true;
}

const ADMISSION: Admission = { admitted: true };

/** Key of the bucket that clients share when there is no room for more. */
const REST = Symbol("rest");

/** Clients that are checked for expiry when there is no room for a new one. */
const SWEEP = 8;

/**
 * Limits each client to a rate with a token bucket: full at first, one token for each call,
 * refilled at the rate.
 *
 * A bucket is stored as one number, the time at which it will be full again (GCRA). A full bucket
 * needs no entry, so idle clients can be forgotten and memory is bounded. When all clients are
 * busy, new ones share a bucket: forgetting a busy client would give it a full bucket under a new
 * name.
 *
 * @see ITU-T I.371, "Generic cell rate algorithm"
 */
export class RateLimiter implements Policy {
  readonly name: string;
  /** Milliseconds per call. */
  readonly interval: number;
  /** Milliseconds that an empty bucket takes to fill. */
  readonly capacity: number;
  readonly #maxClients: number;
  readonly #time: Time;
  /** Time at which the bucket is full again, by client. */
  readonly #fullAt = new Map<string | undefined | typeof REST, number>();
  #sweeping: MapIterator<[string | undefined | typeof REST, number]> | undefined;
  #rejections = 0;
  #admitted: ((client: string | undefined) => void) | undefined;

  constructor({ name, rate, burst, maxClients = 10_000, time = SYSTEM_TIME }: RateLimiterOptions) {
    if (!(rate > 0)) throw new Error(`'rate' (${rate}) of '${name}' must be above 0`);
    if (burst !== undefined && !(burst >= 1)) throw new Error(`'burst' (${burst}) of '${name}' must be at least 1`);
    this.name = name;
    this.interval = 1000 / rate;
    this.capacity = (burst ?? Math.max(1, Math.floor(rate))) * this.interval;
    this.#maxClients = maxClients;
    this.#time = time;
  }

  /** Clients that are counted separately now. */
  get clients(): number {
    return this.#fullAt.size;
  }

  get rejections(): number {
    return this.#rejections;
  }

  /**
   * Calls back with the client of each admitted call; `undefined` removes the listener. There is
   * one listener, because it runs for every call.
   */
  onAdmission(listener: ((client: string | undefined) => void) | undefined): void {
    this.#admitted = listener;
  }

  /** Milliseconds until a client's bucket is full; 0 if it is. */
  untilFull(client?: string): number {
    return Math.max(0, (this.#fullAt.get(client) ?? 0) - this.#time.now());
  }

  /** Sets a client's bucket to be full in this many milliseconds, if it looks fuller here. */
  drain(client: string, untilFull: number): void {
    const fullAt = this.#fullAt.get(client);
    const now = this.#time.now();
    if (!(untilFull > 0) || (fullAt === undefined && !this.#hasRoom(now))) return;
    this.#fullAt.set(client, Math.max(fullAt ?? 0, now + untilFull));
  }

  tryAcquire(client?: string): Admission | Rejection {
    const now = this.#time.now();
    const wait = this.#take(client, now);
    return wait === 0 ? ADMISSION : this.#reject(wait);
  }

  /** @throws Rejected, and the error of the work */
  execute<T>(work: Work<T>, call: Call = PLAIN_CALL): Promise<T> {
    const wait = this.#take(call.client, this.#time.now());
    return wait === 0 ? start(work, call) : Promise.reject(thrown(this.#reject(wait), call.trace));
  }

  /** Takes a token and returns 0, or returns the milliseconds until there is a token. */
  #take(client: string | undefined, now: number): number {
    let bucket: string | undefined | typeof REST = client;
    let fullAt = this.#fullAt.get(bucket);
    if (fullAt === undefined && !this.#hasRoom(now)) {
      bucket = REST;
      fullAt = this.#fullAt.get(REST);
    }
    const next = Math.max(fullAt ?? now, now) + this.interval;
    const wait = next - now - this.capacity;
    // Tolerates the rounding errors of sums of intervals.
    if (wait > 1e-6) return wait;
    this.#fullAt.set(bucket, next);
    this.#admitted?.(client);
    return 0;
  }

  /** Makes room by forgetting idle clients, a few at a time. */
  #hasRoom(now: number): boolean {
    if (this.#fullAt.size < this.#maxClients) return true;
    for (let look = 0; look < SWEEP; look += 1) {
      this.#sweeping ??= this.#fullAt.entries();
      const { value, done } = this.#sweeping.next();
      if (done === true) this.#sweeping = undefined;
      else if (value[1] <= now) this.#fullAt.delete(value[0]);
    }
    return this.#fullAt.size < this.#maxClients;
  }

  #reject(retryAfterMs: number): Rejection {
    this.#rejections += 1;
    return { admitted: false, reason: "rate", policy: this.name, retryAfterMs };
  }
}
