import { LRUCache } from "lru-cache";
import { roughSize } from "./rough-size.ts";

/** Memory of an entry besides key and value, as measured by the benchmark. */
const ENTRY_BYTES = 128;

/** A value, and the end of its freshness. */
export class Entry<V> {
  readonly value: V;
  /** Milliseconds on the cache's clock. */
  readonly freshUntil: number;

  constructor(value: V, freshUntil: number) {
    this.value = value;
    // V8 stores whole numbers without an object.
    this.freshUntil = Math.trunc(freshUntil);
  }
}

/** Values in this process within a memory limit; the least recently used are evicted. */
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

  /** The entry, fresh or not; it counts as used. */
  get(key: string): Entry<V> | undefined {
    return this.#entries.get(key);
  }

  /** The entry without counting as used. */
  peek(key: string): Entry<V> | undefined {
    return this.#entries.peek(key);
  }

  /** A value larger than `maxBytes` is not stored, and removes the value that it would replace. */
  set(key: string, entry: Entry<V>): void {
    const size = ENTRY_BYTES + 2 * key.length + roughSize(entry.value, this.#maxBytes);
    this.#entries.set(key, entry, { size });
  }

  delete(key: string): void {
    this.#entries.delete(key);
  }
}
