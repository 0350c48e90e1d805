import { Bulkhead, type BulkheadEvent, type BulkheadOptions, type BulkheadStats } from "./bulkhead.ts";
import { PLAIN_CALL, start, type Call, type Policy, type Work } from "./call.ts";
import type { Emitter } from "./emitter.ts";
import { Rejected } from "./rejection.ts";
import { SYSTEM_TIME, type Time } from "./time.ts";

export interface AdaptiveLimitOptions extends Omit<BulkheadOptions, "maxConcurrent"> {
  /** The limit before anything is known. @default 10 */
  readonly initialLimit?: number;

  /** @default 1 */
  readonly minLimit?: number;

  /** @default 200 */
  readonly maxLimit?: number;

  /** How many times the best latency is still as good. @default 1.2 */
  readonly tolerance?: number;
}

/** Calls by which the limit is corrected at a time. One alone says little. */
const SAMPLE = 10;

/** How far one correction goes towards what was found. */
const SMOOTHING = 0.3;

/** Milliseconds after which the best latency is measured anew: a dependency may have become slower for good. */
const MEASURE_EVERY = 30_000;

/** What a sample with failures takes the limit down by. */
const BACKOFF = 0.8;

/**
 * A bulkhead that finds its limit by itself, for a dependency whose capacity nobody knows. While calls are as quick as ever, the limit
 * grows; when they become slower, they are queuing there, and it shrinks in proportion. After each ten calls:
 *
 *     limit' = limit × (tolerance × best latency / latency, at most 1) + √limit / 2
 *
 * A failure takes it down at once. It does not grow while it is not used: calls that never meet the limit say nothing about it. Every half
 * minute the best latency is measured anew at half of the limit, for where calls always queue nobody sees how quick they could be.
 *
 * @see https://netflixtechblog.medium.com/performance-under-load-3e6fa9a60581 for the gradient
 */
export class AdaptiveLimit implements Policy {
  readonly #bulkhead: Bulkhead;
  readonly #minLimit: number;
  readonly #maxLimit: number;
  readonly #tolerance: number;
  readonly #time: Time;
  #exact: number;
  #best = Infinity;
  /** When the last measurement of the best latency began. */
  #measuredAt: number;
  #isMeasuring = false;
  #calls = 0;
  #total = 0;
  #failed = false;
  #mostInFlight = 0;

  constructor({ initialLimit = 10, minLimit = 1, maxLimit = 200, tolerance = 1.2, ...options }: AdaptiveLimitOptions) {
    if (!(minLimit >= 1 && minLimit <= initialLimit && initialLimit <= maxLimit))
      throw new Error(
        `'${options.name}' needs 1 ≤ minLimit (${minLimit}) ≤ initialLimit (${initialLimit}) ≤ maxLimit (${maxLimit})`,
      );
    this.#bulkhead = new Bulkhead({ ...options, maxConcurrent: initialLimit });
    this.#minLimit = minLimit;
    this.#maxLimit = maxLimit;
    this.#tolerance = tolerance;
    this.#time = options.time ?? SYSTEM_TIME;
    this.#measuredAt = this.#time.now();
    this.#exact = initialLimit;
  }

  get limit(): number {
    return this.#bulkhead.limit;
  }

  get inFlight(): number {
    return this.#bulkhead.inFlight;
  }

  get stats(): BulkheadStats {
    return this.#bulkhead.stats;
  }

  get events(): Emitter<BulkheadEvent> {
    return this.#bulkhead.events;
  }

  /** @throws Rejected, and whatever the work throws */
  execute<T>(work: Work<T>, call: Call = PLAIN_CALL): Promise<T> {
    return this.#bulkhead.execute((inner) => this.#timed(work, inner), call);
  }

  #timed<T>(work: Work<T>, call: Call): Promise<T> {
    const startedAt = this.#time.now();
    this.#mostInFlight = Math.max(this.#mostInFlight, this.#bulkhead.inFlight);
    return start(work, call).then(
      (result) => {
        this.#learn(startedAt);
        return result;
      },
      (error: unknown) => {
        if (this.#isTelling(error, call, startedAt)) this.#learn(startedAt);
        throw error;
      },
    );
  }

  /** Whether a call that was not answered says anything of the dependency; notes it where it failed. */
  #isTelling(error: unknown, call: Call, startedAt: number): boolean {
    // It took as long as its caller's patience, and may have taken longer: that is news only where it is too long.
    if (call.cancelled) return this.#time.now() - startedAt > this.#tolerance * this.#best;
    // What a policy inside turned away never got there.
    if (error instanceof Rejected) return false;
    this.#failed = true;
    return true;
  }

  #learn(startedAt: number): void {
    // What began before a measurement met a fuller dependency.
    if (this.#isMeasuring && startedAt < this.#measuredAt) return;
    this.#calls += 1;
    this.#total += this.#time.now() - startedAt;
    if (this.#calls < SAMPLE && !this.#failed) return;
    this.#correct(Math.max(this.#total / this.#calls, Number.MIN_VALUE));
    this.#calls = 0;
    this.#total = 0;
    this.#failed = false;
    this.#mostInFlight = this.#bulkhead.inFlight;
  }

  #correct(latency: number): void {
    if (this.#failed) this.#exact *= BACKOFF;
    else if (this.#isMeasuring) this.#best = latency;
    else this.#approach(latency);
    this.#exact = Math.min(this.#maxLimit, Math.max(this.#minLimit, this.#exact));

    const now = this.#time.now();
    this.#isMeasuring = !this.#isMeasuring && now - this.#measuredAt >= MEASURE_EVERY;
    if (this.#isMeasuring) this.#measuredAt = now;
    const limit = Math.max(this.#minLimit, Math.floor(this.#isMeasuring ? this.#exact / 2 : this.#exact));
    if (limit !== this.#bulkhead.limit) this.#bulkhead.limit = limit;
  }

  #approach(latency: number): void {
    this.#best = Math.min(this.#best, latency);
    const gradient = Math.min(1, (this.#tolerance * this.#best) / latency);
    const found = this.#exact * gradient + Math.sqrt(this.#exact) / 2;
    const isUsed = this.#mostInFlight >= this.#exact / 2;
    if (found < this.#exact || isUsed) this.#exact += SMOOTHING * (found - this.#exact);
  }
}
