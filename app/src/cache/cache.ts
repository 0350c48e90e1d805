import { LRUCache } from "lru-cache";
import { asError, PLAIN_CALL, type Call, type Work } from "../resilience/call.ts";
import { isProgrammingError, warnOfProgrammingError } from "../resilience/programming-error.ts";
import { SYSTEM_TIME, type Time } from "../resilience/time.ts";
import type { Cacheable, CacheOptions, CacheStats, Found } from "./cache-options.ts";
import { Flight } from "./flight.ts";
import { Entry, MemoryTier } from "./memory-tier.ts";
import { SharedLoad } from "./shared-load.ts";
import { NO_LEASE, type SharedTier } from "./shared-tier.ts";
import type { SharedValue } from "./sharing.ts";
import { TurnTime } from "./turn-time.ts";

/** Errors remembered at the same time. */
const MAX_FAILURES = 1000;

/**
 * Keeps what is expensive to load: answers from memory while a value is fresh, loads it once for all who ask at the same time when it
 * is not, and with an older one while loading takes its time or fails. With a shared tier, "all" are those of every pod.
 *
 * A hit is synchronous and allocates nothing: see `get`.
 */
export class Cache<V extends Cacheable> {
  readonly name: string;
  readonly #options: CacheOptions;
  readonly #tier: SharedTier<V> | undefined;
  readonly #time: Time;
  readonly #turn: TurnTime;
  readonly #staleWhileRevalidate: number;
  readonly #staleIfError: number;
  readonly #memory: MemoryTier<V>;
  readonly #failures: LRUCache<string, Entry<Error>> | undefined;
  readonly #flights = new Map<string, Flight<Found<V>>>();
  #hits = 0;
  #negativeHits = 0;
  #stale = 0;
  #misses = 0;
  #coalesced = 0;
  #loads = 0;
  #errors = 0;

  /** @param tier what it shares with other pods. @default - nothing */
  constructor(options: CacheOptions, tier?: SharedTier<V>) {
    this.name = options.name;
    this.#options = options;
    this.#tier = tier;
    this.#time = options.time ?? SYSTEM_TIME;
    this.#turn = new TurnTime(this.#time);
    this.#staleWhileRevalidate = options.staleWhileRevalidate ?? 0;
    this.#staleIfError = options.staleIfError ?? 0;
    this.#memory = new MemoryTier(options.maxBytes ?? 16 * 1024 * 1024);
    if (options.negative !== undefined) this.#failures = new LRUCache({ max: MAX_FAILURES });
    tier?.events.on((event) => {
      if (event.type === "forgotten") this.#forget(event.key);
      else this.#doubt();
    });
  }

  /** The value, if it is in memory and fresh. It only looks: nothing is loaded, and only a hit is counted. */
  get(key: string): V | undefined {
    const entry = this.#memory.get(key);
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
    const { trace } = call;
    const answer = this.#fetch(key, load, call);
    if (trace === undefined) return answer;
    return answer.then((found) => {
      const decision = found.source === "memory" ? "hit" : found.source;
      trace.decided({ policy: "cache", name: this.name, decision });
      return found;
    });
  }

  /**
   * Forgets a value, and keeps what is being loaded now from being kept: it may have been read before the change. Other pods follow as soon as
   * they hear of it, and at the latest when the value's time is over.
   */
  invalidate(key: string): void {
    this.#forget(key);
    this.#tier?.forget(key);
  }

  get stats(): CacheStats {
    return {
      name: this.name,
      entries: this.#memory.entries,
      bytes: this.#memory.bytes,
      hits: this.#hits,
      negativeHits: this.#negativeHits,
      stale: this.#stale,
      misses: this.#misses,
      coalesced: this.#coalesced,
      loads: this.#loads,
      errors: this.#errors,
      evictions: this.#memory.evictions,
      ...(this.#tier && { shared: this.#tier.counts }),
    };
  }

  #fetch(key: string, load: Work<V>, call: Call): Promise<Found<V>> {
    const entry = this.#memory.get(key);
    if (entry !== undefined) {
      const age = this.#turn.now() - entry.freshUntil;
      if (age < 0) {
        this.#hits += 1;
        return Promise.resolve({ value: entry.value, source: "memory" });
      }
      if (age < this.#staleWhileRevalidate) {
        this.#stale += 1;
        if (!this.#flights.has(key)) this.#start(key, load, call).keepGoing();
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
    if (flight === undefined) return this.#start(key, load, call).join(call);
    this.#coalesced += 1;
    return flight.join(call);
  }

  #forget(key: string): void {
    this.#memory.delete(key);
    this.#failures?.delete(key);
    const flight = this.#flights.get(key);
    if (flight === undefined) return;
    flight.isObsolete = true;
    this.#flights.delete(key);
  }

  /** Invalidations may have been missed. */
  #doubt(): void {
    this.#memory.doubt(this.#turn.now());
    this.#failures?.clear();
    for (const flight of this.#flights.values()) flight.isDoubtful = true;
  }

  #start(key: string, load: Work<V>, first: Call): Flight<Found<V>> {
    const flight = new Flight<Found<V>>(this.#options.timeout ?? 30_000, this.#time, first);
    const end = () => {
      flight.call.offCancel(cancelled);
      flight.call.end();
      if (this.#flights.get(key) === flight) this.#flights.delete(key);
    };
    const cancelled = () => {
      end();
      // Where nobody waits, nothing need stand in.
      if (flight.isWanted) this.#failed(key, flight, flight.call.reason);
    };
    this.#flights.set(key, flight);
    flight.call.onCancel(cancelled);
    this.#bring(key, flight, load).then(
      (found) => {
        end();
        flight.answer(found);
      },
      (error: unknown) => {
        if (flight.call.cancelled) return;
        end();
        this.#failed(key, flight, error);
      },
    );
    return flight;
  }

  async #bring(key: string, flight: Flight<Found<V>>, load: Work<V>): Promise<Found<V>> {
    const own = async (call: Call): Promise<SharedValue<V>> => {
      this.#loads += 1;
      return { value: await load(call), freshFor: this.#freshFor() };
    };
    // What is never fresh is not worth asking others for, unless it cannot be loaded: see #last.
    if (this.#tier === undefined || this.#options.ttl === 0) {
      const loaded = await own(flight.call);
      // Without a lease nothing tells whether others have invalidated it meanwhile.
      if (this.#keep(key, flight, loaded) && !flight.isDoubtful) void this.#tier?.store(key, loaded, NO_LEASE);
      return { value: loaded.value, source: "computed" };
    }
    const shared = new SharedLoad(this.#tier, key);
    const { loaded, isOwn } = await shared.run(own, flight.call, (older) => {
      this.#standIn(key, flight, older);
    });
    if (this.#keep(key, flight, loaded) && isOwn) void shared.store(loaded);
    else shared.giveUp();
    return { value: loaded.value, source: isOwn ? "computed" : "shared" };
  }

  #freshFor(): number {
    const { ttl, jitter = 0.1, random = Math.random } = this.#options;
    return Math.round(ttl * (1 - jitter * random()));
  }

  /** Keeps a value unless it came too late or may be outdated; says whether it did. */
  #keep(key: string, flight: Flight<Found<V>>, { value, freshFor }: SharedValue<V>): boolean {
    if (flight.isObsolete || flight.call.cancelled) return false;
    this.#failures?.delete(key);
    const left = flight.isDoubtful ? Math.min(freshFor, 0) : freshFor;
    this.#memory.set(key, new Entry(value, this.#turn.now() + left));
    return true;
  }

  /** Another pod's value that is not fresh: it may do for those who wait, or later if nothing better comes. */
  #standIn(key: string, flight: Flight<Found<V>>, older: SharedValue<V>): void {
    const known = this.#memory.peek(key);
    if (known !== undefined && known.freshUntil >= this.#turn.now() + older.freshFor) return;
    if (!this.#keep(key, flight, older) || -older.freshFor >= this.#staleWhileRevalidate) return;
    this.#stale += flight.waiting;
    flight.answerMeanwhile({ value: older.value, source: "stale" });
  }

  #failed(key: string, flight: Flight<Found<V>>, error: unknown): void {
    this.#instead(key, flight, error).then(
      (found) => {
        flight.answer(found);
      },
      (reason: unknown) => {
        // A value that is refreshed for nobody fails for nobody.
        if (flight.waiting === 0) warnOfProgrammingError(reason);
        flight.fail(reason);
      },
    );
  }

  /** @throws the error, where it is an answer or a programming error, or no older value stands in */
  async #instead(key: string, flight: Flight<Found<V>>, error: unknown): Promise<Found<V>> {
    const { negative } = this.#options;
    if (negative?.isAnswer(error) === true) {
      if (!flight.isObsolete) {
        this.#memory.delete(key);
        if (!flight.isDoubtful) this.#failures?.set(key, new Entry(asError(error), this.#turn.now() + negative.ttl));
      }
      throw error;
    }
    this.#errors += 1;
    if (isProgrammingError(error)) throw error;
    const older = this.#memory.peek(key) ?? (await this.#last(key));
    if (older === undefined || this.#turn.now() - older.freshUntil >= this.#staleIfError) throw error;
    this.#stale += flight.waiting;
    return { value: older.value, source: "stale" };
  }

  /** The last value that any pod had, where nobody has asked for it yet. */
  async #last(key: string): Promise<Entry<V> | undefined> {
    if (this.#tier === undefined || this.#options.ttl > 0) return undefined;
    const found = await this.#tier.peek(key);
    return found && new Entry(found.value, this.#turn.now() + found.freshFor);
  }
}
