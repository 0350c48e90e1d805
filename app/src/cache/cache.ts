import { LRUCache } from "lru-cache";
import { asError, PLAIN_CALL, start, type Call, type Work } from "../resilience/call.ts";
import { SYSTEM_TIME, type Time } from "../resilience/time.ts";
import type { Cacheable, CacheOptions, CacheStats, Found } from "./cache-options.ts";
import { Flight } from "./flight.ts";
import { roughSize } from "./rough-size.ts";
import { TurnTime } from "./turn-time.ts";

/** Bytes that are kept about a value, its key excluded: measured by the benchmark. */
const ENTRY_BYTES = 128;

/** Errors remembered at the same time. */
const MAX_FAILURES = 1000;

/** One object for a value, whatever its state: when it stops being fresh is the only thing to know. */
class Entry<V> {
  readonly value: V;
  readonly freshUntil: number;

  constructor(value: V, freshUntil: number) {
    this.value = value;
    this.freshUntil = freshUntil;
  }
}

/**
 * Keeps what is expensive to load: answers from memory while a value is fresh, loads it once for all who ask at the same time when it
 * is not, and with an older one while loading takes its time or fails.
 *
 * A hit is synchronous, reads no clock and allocates nothing: see `get`.
 */
export class Cache<V extends Cacheable> {
  readonly name: string;
  readonly #options: CacheOptions;
  readonly #time: Time;
  readonly #turn: TurnTime;
  readonly #maxBytes: number;
  readonly #staleWhileRevalidate: number;
  readonly #entries: LRUCache<string, Entry<V>>;
  readonly #failures: LRUCache<string, Entry<Error>> | undefined;
  readonly #flights = new Map<string, Flight<Found<V>>>();
  #hits = 0;
  #negativeHits = 0;
  #stale = 0;
  #misses = 0;
  #coalesced = 0;
  #loads = 0;
  #errors = 0;
  #evictions = 0;

  constructor(options: CacheOptions) {
    const { name, time = SYSTEM_TIME, maxBytes = 16 * 1024 * 1024, staleWhileRevalidate = 0, negative } = options;
    this.name = name;
    this.#options = options;
    this.#time = time;
    this.#turn = new TurnTime(time);
    this.#maxBytes = maxBytes;
    this.#staleWhileRevalidate = staleWhileRevalidate;
    this.#entries = new LRUCache({
      maxSize: maxBytes,
      dispose: (_entry, _key, reason) => {
        if (reason === "evict") this.#evictions += 1;
      },
    });
    if (negative !== undefined) this.#failures = new LRUCache({ max: MAX_FAILURES });
  }

  /** The value, if it is in memory and fresh. It only looks: nothing is loaded, and only a hit is counted. */
  get(key: string): V | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined || entry.freshUntil <= this.#turn.now()) return undefined;
    this.#hits += 1;
    return entry.value;
  }

  /**
   * The value, loaded if need be. A call that is cancelled stops waiting, but the load goes on for others who wait.
   *
   * @param load gets a call of its own, which ends when `timeout` is over or nobody waits any more
   * @throws what `load` throws, where no older value stands in; the call's reason when it is cancelled
   */
  fetch(key: string, load: Work<V>, call: Call = PLAIN_CALL): Promise<Found<V>> {
    const entry = this.#entries.get(key);
    if (entry !== undefined) {
      const age = this.#turn.now() - entry.freshUntil;
      if (age < 0) {
        this.#hits += 1;
        return Promise.resolve({ value: entry.value, source: "memory" });
      }
      if (age < this.#staleWhileRevalidate) {
        this.#stale += 1;
        if (!this.#flights.has(key)) this.#start(key, load).keepGoing();
        return Promise.resolve({ value: entry.value, source: "stale" });
      }
    }
    const failure = this.#failures?.get(key);
    if (failure !== undefined && failure.freshUntil > this.#turn.now()) {
      this.#negativeHits += 1;
      return Promise.reject(failure.value);
    }
    this.#misses += 1;
    const flight = this.#flights.get(key);
    if (flight === undefined) return this.#start(key, load).join(call);
    this.#coalesced += 1;
    return flight.join(call);
  }

  /** Forgets a value, and keeps what is being loaded now from being kept: it may have been read before the change. */
  invalidate(key: string): void {
    this.#entries.delete(key);
    this.#failures?.delete(key);
    const flight = this.#flights.get(key);
    if (flight === undefined) return;
    flight.isObsolete = true;
    this.#flights.delete(key);
  }

  get stats(): CacheStats {
    return {
      name: this.name,
      entries: this.#entries.size,
      bytes: this.#entries.calculatedSize,
      hits: this.#hits,
      negativeHits: this.#negativeHits,
      stale: this.#stale,
      misses: this.#misses,
      coalesced: this.#coalesced,
      loads: this.#loads,
      errors: this.#errors,
      evictions: this.#evictions,
    };
  }

  #start(key: string, load: Work<V>): Flight<Found<V>> {
    const flight = new Flight<Found<V>>(this.#options.timeout ?? 30_000, this.#time);
    this.#flights.set(key, flight);
    const end = () => {
      flight.call.end();
      if (this.#flights.get(key) === flight) this.#flights.delete(key);
    };
    flight.call.onCancel(() => {
      end();
      // Who waits for nothing has no use for what stands in either.
      if (flight.waiting > 0) this.#failed(key, flight, flight.call.reason);
    });
    this.#loads += 1;
    start(load, flight.call).then(
      (value) => {
        end();
        if (flight.call.cancelled) return;
        if (!flight.isObsolete) this.#keep(key, value);
        flight.answer({ value, source: "computed" });
      },
      (error: unknown) => {
        end();
        if (!flight.call.cancelled) this.#failed(key, flight, error);
      },
    );
    return flight;
  }

  #keep(key: string, value: V): void {
    const { ttl, jitter = 0.1, random = Math.random } = this.#options;
    const fresh = Math.round(ttl * (1 - jitter * random()));
    this.#failures?.delete(key);
    const size = ENTRY_BYTES + 2 * key.length + roughSize(value, this.#maxBytes);
    this.#entries.set(key, new Entry(value, this.#turn.now() + fresh), { size });
  }

  #failed(key: string, flight: Flight<Found<V>>, error: unknown): void {
    const { negative, staleIfError = 0 } = this.#options;
    if (negative?.isAnswer(error) === true) {
      if (!flight.isObsolete) {
        this.#entries.delete(key);
        this.#failures?.set(key, new Entry(asError(error), this.#turn.now() + negative.ttl));
      }
      flight.fail(error);
      return;
    }
    this.#errors += 1;
    const entry = this.#entries.peek(key);
    if (entry !== undefined && this.#turn.now() - entry.freshUntil < staleIfError) {
      this.#stale += flight.waiting;
      flight.answer({ value: entry.value, source: "stale" });
    } else flight.fail(error);
  }
}
