import type { Breaker } from "../resilience/breaker.ts";
import type { Redis } from "../redis/redis.ts";
import type { Cacheable, CacheOptions, CacheStats } from "./cache-options.ts";
import { Cache } from "./cache.ts";
import { SharedTier, type Sharing } from "./shared-tier.ts";

export interface CachesOptions {
  /** Default freshness of values, in milliseconds. */
  readonly ttl: number;
  /** Default memory of each cache, in bytes. */
  readonly maxBytes: number;
  /** Bytes above which a value is compressed before it is shared. */
  readonly compressAbove: number;
  /** Redis, and the breaker for calls to it. @default - values are local to each pod */
  readonly shared?: { readonly redis: Redis; readonly breaker: Breaker } | undefined;
}

/** All caches of a process by name. Caches with one name would share entries in Redis. */
export class Caches {
  readonly #options: CachesOptions;
  readonly #caches = new Map<string, { readonly stats: CacheStats }>();

  constructor(options: CachesOptions) {
    this.#options = options;
  }

  get ttl(): number {
    return this.#options.ttl;
  }

  /**
   * @param sharing - without it, values are local to this pod; they need not be JSON
   * @throws Error when the name is already in use
   */
  create<V extends Cacheable>(options: CacheOptions, sharing?: Sharing<V>): Cache<V> {
    const { name, staleWhileRevalidate = 0, staleIfError = 0 } = options;
    if (this.#caches.has(name)) throw new Error(`there is a cache named '${name}' already`);
    const { maxBytes, compressAbove, shared } = this.#options;
    const staleFor = Math.max(staleWhileRevalidate, staleIfError);
    const tier = shared && sharing && new SharedTier<V>({ ...shared, ...sharing, name, staleFor, compressAbove });
    const cache = new Cache<V>({ maxBytes, ...options }, tier);
    this.#caches.set(name, cache);
    return cache;
  }

  get stats(): readonly CacheStats[] {
    return [...this.#caches.values()].map(({ stats }) => stats);
  }
}
