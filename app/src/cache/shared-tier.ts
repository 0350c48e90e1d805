import type { z } from "zod";
import type { Redis } from "../redis/redis.ts";
import type { Breaker } from "../resilience/breaker.ts";
import { BadEntry, Codec, MAX_STORED_BYTES } from "./codec.ts";
import { inTime, LATE } from "./in-time.ts";

/** Bytes of the header: Unix time of the end of freshness in milliseconds, as a double. */
const HEADER = 8;

/** How a cache shares values with other pods. */
export interface Sharing<V> {
  /** To be raised when the shape of values changes: different versions share nothing. */
  readonly version: number;

  /** Shape of a value as JSON. Checked on each read, because others may write to Redis. */
  readonly schema: z.ZodType<V>;
}

export interface SharedTierOptions<V> extends Sharing<V> {
  readonly redis: Redis;
  readonly breaker: Breaker;
  readonly name: string;
  /** Milliseconds that a value is useful after it was fresh. */
  readonly staleFor: number;
  /** Bytes of JSON above which an entry is compressed. @default 1024 */
  readonly compressAbove?: number;
  /** Milliseconds that a call waits for Redis before it loads the value. @default 1 */
  readonly timeout?: number;
}

/** A value that another pod stored. It is stale if `freshFor`, in milliseconds, is not positive. */
export interface SharedValue<V> {
  readonly value: V;
  readonly freshFor: number;
}

/**
 * A cache's entries in Redis, with GET and SET. A failed command counts as a miss.
 *
 * The clock of the pod that stored an entry decides when it stops being fresh. A clock difference
 * between pods changes the freshness by as much. Redis removes entries after their expiry.
 */
export class SharedTier<V> {
  /**
   * Commands by result. `late`: the call stopped waiting. `refused`: Redis had no room, or the value
   * was too large. `error`: the command failed, or the entry has an unknown format.
   */
  readonly counts = { hit: 0, stale: 0, miss: 0, late: 0, stored: 0, refused: 0, error: 0 };
  readonly #options: SharedTierOptions<V>;
  readonly #codec: Codec<V>;

  constructor(options: SharedTierOptions<V>) {
    this.#options = options;
    this.#codec = new Codec(options.schema, options.compressAbove ?? 1024);
  }

  /** The value of an entry, fresh or not, if Redis answers in time. Never rejects. */
  async get(key: string): Promise<SharedValue<V> | undefined> {
    // Limited, so that a foreign entry does not fill the memory.
    const asked = this.#ask(["GETRANGE", this.#key(key), "0", String(MAX_STORED_BYTES + HEADER)]);
    const entry = asked && (await inTime(asked, this.#options.timeout ?? 1));
    if (entry === LATE) this.counts.late += 1;
    if (!Buffer.isBuffer(entry)) return undefined;
    if (entry.length === 0) {
      this.counts.miss += 1;
      return undefined;
    }
    try {
      if (entry.length > MAX_STORED_BYTES + HEADER || entry.length < HEADER) throw new BadEntry("no entry of ours");
      const value = await this.#codec.decode(entry.subarray(HEADER));
      const freshFor = entry.readDoubleBE(0) - Date.now();
      this.counts[freshFor > 0 ? "hit" : "stale"] += 1;
      return { value, freshFor };
    } catch {
      this.counts.error += 1;
      return undefined;
    }
  }

  /** Stores a value. Never rejects. */
  async set(key: string, { value, freshFor }: SharedValue<V>): Promise<void> {
    const expiry = freshFor + this.#options.staleFor;
    if (expiry < 1) return;
    const entry = await this.#codec.encode(value).catch(() => undefined);
    if (entry === undefined) {
      this.counts.refused += 1;
      return;
    }
    const header = Buffer.alloc(HEADER);
    header.writeDoubleBE(Date.now() + freshFor);
    const asked = this.#ask(["SET", this.#key(key), Buffer.concat([header, entry]), "PX", String(expiry)]);
    if ((await asked) !== undefined) this.counts.stored += 1;
  }

  /**
   * Undefined if Redis is down or the breaker rejects; resolves with undefined if the command
   * fails. Counts each failure once.
   */
  #ask(command: readonly (string | Buffer)[]): Promise<unknown> | undefined {
    const { redis, breaker } = this.#options;
    if (!redis.available) return undefined;
    const permit = breaker.tryAcquire();
    if (!permit.admitted) return undefined;
    return redis.command(command, { binary: true }).then(
      (reply) => {
        permit.succeed();
        return reply;
      },
      (error: unknown) => {
        const [code] = String(error instanceof Error ? error.message : error).split(" ", 1);
        this.counts[code === "OOM" ? "refused" : "error"] += 1;
        // Redis works: it has no room, or the key has another type.
        if (code === "OOM" || code === "WRONGTYPE") permit.succeed();
        else permit.fail(error);
        return undefined;
      },
    );
  }

  #key(key: string): string {
    const { redis, name, version } = this.#options;
    return `${redis.prefix}:cache:${name}:${version}:${key}`;
  }
}
