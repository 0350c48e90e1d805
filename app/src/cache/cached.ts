import { PLAIN_CALL, type Call } from "../resilience/call.ts";
import type { Cache } from "./cache.ts";
import type { Cacheable, Found } from "./cache-options.ts";
import { keyOf } from "./key.ts";

export interface CachedOptions<Args extends readonly unknown[], V extends Cacheable> {
  readonly cache: Cache<V>;

  /** The key of a call. Two functions on one cache need different keys. @default - all arguments */
  readonly key?: (...args: Args) => string;
}

/** A function that remembers its answers. */
export interface CachedFunction<Args extends readonly unknown[], V> {
  /** @throws what the function throws; the call's reason when it is cancelled */
  (call: Call, ...args: Args): Promise<Found<V>>;
  /** Loads the answer for these arguments before a caller waits for it. */
  warm(...args: Args): Promise<void>;
}

/**
 * Wraps a function so that it is only called for answers that the cache does not have.
 *
 * @param fn - gets its own call, which goes on as long as any caller waits for the answer
 * @example
 * const rates = cached(fetchRates, { cache: new Cache<Rates>({ name: "rates", ttl: 60_000 }) });
 * await rates(call, "EUR"); // asks
 * await rates(call, "EUR"); // does not
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
