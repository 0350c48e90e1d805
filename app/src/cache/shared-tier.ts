import { BadEntry, Codec, MAX_STORED_BYTES } from "./codec.ts";
import { inTime, LATE } from "./in-time.ts";
import type { SharedTierOptions, SharedValue } from "./sharing.ts";

/** Bytes at the start of an entry: the Unix time in ms at which it stops being fresh, a double. */
const HEADER = 8;

/**
 * A cache's entries in Redis, by plain GET and SET. A command that fails counts as a miss.
 *
 * The clock of the pod that stored an entry decides when it stops being fresh. Where another pod's clock
 * differs, the freshness there differs by as much. Redis's own expiry removes entries that are too old.
 */
export class SharedTier<V> {
  readonly counts = { hit: 0, stale: 0, miss: 0, late: 0, stored: 0, refused: 0, error: 0 };
  readonly #options: SharedTierOptions<V>;
  readonly #codec: Codec<V>;

  constructor(options: SharedTierOptions<V>) {
    this.#options = options;
    this.#codec = new Codec(options.schema, options.compressAbove ?? 1024);
  }

  /** An entry's value, fresh or not, if Redis has it and says so in time. Never rejects. */
  async get(key: string): Promise<SharedValue<V> | undefined> {
    // A part of it, so that an entry which is none of ours does not fill the memory.
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
   * Undefined where Redis is away or the breaker rejects; resolves with undefined when the command fails.
   * Counts each failure once.
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
        // Redis works: it has no room, or something else has the key.
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
