import { PLAIN_CALL, type Call } from "../resilience/call.ts";
import type { Cache } from "./cache.ts";
import type { Cacheable, Found } from "./cache-options.ts";
import { keyOf } from "./key.ts";

export interface CachedOptions<Args extends readonly unknown[], V extends Cacheable> {
  readonly cache: Cache<V>;

  /** The key of a call. Functions with one cache need different keys. @default - all arguments */
  readonly key?: (...args: Args) => string;
}

export interface CachedFunction<Args extends readonly unknown[], V> {
  /** @throws errors of the function; the call's reason when it is cancelled */
  (call: Call, ...args: Args): Promise<Found<V>>;
  /** Loads the value for these arguments in advance. */
  warm(...args: Args): Promise<void>;
}

/**
 * Adds a cache to a function.
 *
 * @param fn - its call continues while any caller waits
 * @example
 * const rates = cached(fetchRates, { cache: new Cache<Rates>({ name: "rates", ttl: 60_000 }) });
 * await rates(call, "EUR"); // fetches
 * await rates(call, "EUR"); // cached
 */
export function cached<Args extends readonly unknown[], V extends Cacheable>(
  fn: (call: Call, ...args: Args) => Promise<V>,
  { cache, key = (...args) => keyOf(args) }: CachedOptions<Args, V>,
): CachedFunction<Args, V> {
  const ask = (call: Call, ...args: Args): Promise<Found<V>> =>
    cache.fetch(key(...args), (load) => fn(load, ...args), call);
  return Object.assign(ask, {
    async warm(...args: Args) {
      await ask(PLAIN_CALL, ...args);
    },
  });
}
