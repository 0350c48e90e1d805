import type { Cache } from "./cache.ts";
import type { Cacheable } from "./cache-options.ts";
import { keyOf } from "./key.ts";

export interface CachedOptions<Args extends readonly unknown[], V extends Cacheable> {
  readonly cache: Cache<V>;

  /** What tells calls apart; where two functions share a cache, it has to tell them apart too. @default - all arguments */
  readonly key?: (...args: Args) => string;
}

/** A function that remembers its answers. */
export interface CachedFunction<Args extends readonly unknown[], V> {
  (...args: Args): Promise<V>;
  /** Forgets the answer for these arguments, in every pod. */
  invalidate(...args: Args): void;
  /** Sees to it that there is an answer for these arguments, before somebody waits for it. */
  warm(...args: Args): Promise<void>;
}

/**
 * Wraps a function so that it is only called for what the cache does not have.
 *
 * @example
 * const rates = cached(fetchRates, { cache: new Cache<Rates>({ name: "rates", ttl: 60_000 }) });
 * await rates("EUR"); // asks
 * await rates("EUR"); // does not
 * rates.invalidate("EUR");
 */
export function cached<Args extends readonly unknown[], V extends Cacheable>(
  fn: (...args: Args) => Promise<V>,
  { cache, key = (...args) => keyOf(args) }: CachedOptions<Args, V>,
): CachedFunction<Args, V> {
  const ask = async (...args: Args): Promise<V> => {
    const name = key(...args);
    const known = cache.get(name);
    return known === undefined ? (await cache.fetch(name, () => fn(...args))).value : known;
  };
  return Object.assign(ask, {
    invalidate(...args: Args) {
      cache.invalidate(key(...args));
    },
    async warm(...args: Args) {
      await cache.fetch(key(...args), () => fn(...args));
    },
  });
}
