import { LRUCache } from "lru-cache";
import { asError, PLAIN_CALL, type Call, type Work } from "../resilience/call.ts";
import { within } from "../resilience/deadline.ts";
import { isProgrammingError } from "../resilience/programming-error.ts";
import { SYSTEM_TIME, type Time } from "../resilience/time.ts";
import type { Cacheable, CacheOptions, CacheStats, Found } from "./cache-options.ts";
import { roughSize } from "./rough-size.ts";
import type { SharedTier, SharedValue } from "./shared-tier.ts";
import { SingleFlight } from "./single-flight.ts";

/** Memory of an entry besides key and value, as measured by the benchmark. */
const ENTRY_BYTES = 128;

/** Errors that are cached at the same time. */
const MAX_FAILURES = 1000;

/** A value, and the end of its freshness. */
class Entry<V> {
  readonly value: V;
  /** Milliseconds on the cache's clock. */
  readonly freshUntil: number;

  constructor(value: V, freshUntil: number) {
    this.value = value;
    // V8 stores whole numbers without an object.
    this.freshUntil = Math.trunc(freshUntil);
  }
}

/**
 * Caches values that are expensive to load. It returns fresh values from memory, loads a value once
 * for all concurrent calls, and returns a stale value while a load runs or after it failed. With a
 * shared tier, pods share values through Redis.
 *
 * A hit is synchronous and allocates nothing: see `get`.
 */
export class Cache<V extends Cacheable> {
  readonly name: string;
  readonly #options: CacheOptions;
  readonly #tier: SharedTier<V> | undefined;
  readonly #time: Time;
  readonly #staleWhileRevalidate: number;
  readonly #maxBytes: number;
  readonly #memory: LRUCache<string, Entry<V>>;
  readonly #failures: LRUCache<string, Entry<Error>> | undefined;
  readonly #flights: SingleFlight<Found<V>>;
  readonly #counts = {
    hits: 0,
    negativeHits: 0,
    stale: 0,
    misses: 0,
    coalesced: 0,
    loads: 0,
    errors: 0,
    evictions: 0,
  };

  /** @param tier - shares values with other pods. @default - none */
  constructor(options: CacheOptions, tier?: SharedTier<V>) {
    this.name = options.name;
    this.#options = options;
    this.#tier = tier;
    this.#time = options.time ?? SYSTEM_TIME;
    this.#flights = new SingleFlight(this.#time);
    this.#staleWhileRevalidate = options.staleWhileRevalidate ?? 0;
    this.#maxBytes = options.maxBytes ?? 16 * 1024 * 1024;
    this.#memory = new LRUCache({
      maxSize: this.#maxBytes,
      dispose: (_entry, _key, reason) => {
        if (reason === "evict") this.#counts.evictions += 1;
      },
    });
    if (options.negative !== undefined) this.#failures = new LRUCache({ max: MAX_FAILURES });
  }

  /** The fresh value in memory, if there is one. Loads nothing. */
  get(key: string): V | undefined {
    const entry = this.#memory.get(key);
    if (entry === undefined || entry.freshUntil <= this.#time.now()) return undefined;
    this.#counts.hits += 1;
    return entry.value;
  }

  /**
   * The value, loaded if necessary. A cancelled call stops waiting; the load continues for others.
   *
   * @param load - its call ends after `timeout` or when no caller waits
   * @throws the load's error if there is no stale value; the call's reason when it is cancelled
   */
  fetch(key: string, load: Work<V>, call: Call = PLAIN_CALL): Promise<Found<V>> {
    const { trace } = call;
    const answer = this.#fetch(key, load, call);
    if (trace === undefined) return answer;
    return answer.then((found) => {
      const decision = found.source === "memory" ? "hit" : found.source;
      trace.decided({ policy: "cache", name: this.name, decision });
      return found;
    });
  }

  get stats(): CacheStats {
    return {
      name: this.name,
      entries: this.#memory.size,
      bytes: this.#memory.calculatedSize,
      ...this.#counts,
      ...(this.#tier && { shared: this.#tier.counts }),
    };
  }

  #fetch(key: string, load: Work<V>, call: Call): Promise<Found<V>> {
    const entry = this.#memory.get(key);
    if (entry !== undefined) {
      const age = this.#time.now() - entry.freshUntil;
      if (age < 0) {
        this.#counts.hits += 1;
        return Promise.resolve({ value: entry.value, source: "memory" });
      }
      if (age < this.#staleWhileRevalidate) {
        this.#counts.stale += 1;
        this.#refresh(key, load, call);
        return Promise.resolve({ value: entry.value, source: "stale" });
      }
    }
    const failure = this.#failures?.get(key);
    if (failure !== undefined && failure.freshUntil > this.#time.now()) {
      this.#counts.negativeHits += 1;
      return Promise.reject(failure.value);
    }
    this.#counts.misses += 1;
    if (this.#flights.has(key)) this.#counts.coalesced += 1;
    return this.#flights
      .run(key, (inner) => this.#find(key, load, inner), call)
      .then((found) => {
        if (found.source === "stale") this.#counts.stale += 1;
        return found;
      });
  }

  #refresh(key: string, load: Work<V>, call: Call): void {
    this.#flights.runInBackground(key, (inner) => this.#load(key, load, inner), call);
  }

  async #find(key: string, load: Work<V>, call: Call): Promise<Found<V>> {
    // Values that are never fresh are read only after a failed load: see #instead.
    const theirs = this.#options.ttl === 0 ? undefined : await this.#tier?.get(key);
    if (theirs === undefined) return this.#load(key, load, call);
    this.#keepUnlessOlder(key, theirs);
    if (theirs.freshFor > 0) return { value: theirs.value, source: "shared" };
    if (-theirs.freshFor >= this.#staleWhileRevalidate) return this.#load(key, load, call);
    setImmediate(() => {
      this.#refresh(key, load, call);
    });
    return { value: theirs.value, source: "stale" };
  }

  async #load(key: string, load: Work<V>, call: Call): Promise<Found<V>> {
    const { timeout = 30_000, ttl, jitter = 0.1, random = Math.random } = this.#options;
    this.#counts.loads += 1;
    try {
      const value = await within(load, call, timeout, this.#time);
      const freshFor = Math.round(ttl * (1 - jitter * random()));
      this.#failures?.delete(key);
      this.#keep(key, value, this.#time.now() + freshFor);
      void this.#tier?.set(key, { value, freshFor });
      return { value, source: "computed" };
    } catch (error) {
      // No caller waits, so no stale value is needed.
      if (call.cancelled) throw error;
      return await this.#instead(key, error);
    }
  }

  /** @throws the error if it is an answer or a programming error, or there is no stale value */
  async #instead(key: string, error: unknown): Promise<Found<V>> {
    const { negative, staleIfError = 0, ttl } = this.#options;
    if (negative?.isAnswer(error) === true) {
      this.#memory.delete(key);
      this.#failures?.set(key, new Entry(asError(error), this.#time.now() + negative.ttl));
      throw error;
    }
    this.#counts.errors += 1;
    if (isProgrammingError(error)) throw error;
    if (ttl === 0 && this.#memory.peek(key) === undefined) {
      const theirs = await this.#tier?.get(key);
      if (theirs !== undefined) this.#keepUnlessOlder(key, theirs);
    }
    const older = this.#memory.peek(key);
    if (older === undefined || this.#time.now() - older.freshUntil >= staleIfError) throw error;
    return { value: older.value, source: "stale" };
  }

  #keepUnlessOlder(key: string, { value, freshFor }: SharedValue<V>): void {
    const freshUntil = this.#time.now() + freshFor;
    if ((this.#memory.peek(key)?.freshUntil ?? -Infinity) < freshUntil) this.#keep(key, value, freshUntil);
  }

  /** A value larger than the memory is not stored, and removes the value that it would replace. */
  #keep(key: string, value: V, freshUntil: number): void {
    const size = ENTRY_BYTES + 2 * key.length + roughSize(value, this.#maxBytes);
    this.#memory.set(key, new Entry(value, freshUntil), { size });
  }
}
