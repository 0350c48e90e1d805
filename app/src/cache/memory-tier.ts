import { LRUCache } from "lru-cache";
import { roughSize } from "./rough-size.ts";

/** Bytes that are kept about a value besides its key; what the benchmark measures. */
const ENTRY_BYTES = 128;

/** A value, and the time at which it stops being fresh. */
export class Entry<V> {
  readonly value: V;
  /** Milliseconds on the cache's time. */
  readonly freshUntil: number;

  constructor(value: V, freshUntil: number) {
    this.value = value;
    // V8 keeps whole numbers without an object for each.
    this.freshUntil = Math.trunc(freshUntil);
  }
}

/** Values in this process, in so many bytes: those used longest ago make room. */
export class MemoryTier<V> {
  readonly #maxBytes: number;
  readonly #entries: LRUCache<string, Entry<V>>;
  #evictions = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
    this.#entries = new LRUCache({
      maxSize: maxBytes,
      dispose: (_entry, _key, reason) => {
        if (reason === "evict") this.#evictions += 1;
      },
    });
  }

  get entries(): number {
    return this.#entries.size;
  }

  /** Estimated. */
  get bytes(): number {
    return this.#entries.calculatedSize;
  }

  get evictions(): number {
    return this.#evictions;
  }

  /** What is kept, fresh or not; it counts as used. */
  get(key: string): Entry<V> | undefined {
    return this.#entries.get(key);
  }

  /** The same, without counting as used. */
  peek(key: string): Entry<V> | undefined {
    return this.#entries.peek(key);
  }

  /** A value that is larger than `maxBytes` is not kept, and neither is the one that it replaces. */
  set(key: string, entry: Entry<V>): void {
    const size = ENTRY_BYTES + 2 * key.length + roughSize(entry.value, this.#maxBytes);
    this.#entries.set(key, entry, { size });
  }

  delete(key: string): void {
    this.#entries.delete(key);
  }
}
