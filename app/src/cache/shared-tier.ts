import { randomUUID } from "node:crypto";
import { Emitter } from "../resilience/emitter.ts";
import { SYSTEM_TIME, type Time } from "../resilience/time.ts";
import type { Script } from "../shared/redis.ts";
import { Codec, MAX_STORED_BYTES } from "./codec.ts";
import { inTime, LATE } from "./patience.ts";
import { forget } from "./scripts/forget.ts";
import { giveBack, renew } from "./scripts/lease.ts";
import { LEASE, lookUp } from "./scripts/look-up.ts";
import { store, STORED } from "./scripts/store.ts";
import type { Look, News, SharedTierEvent, SharedTierOptions, SharedValue } from "./sharing.ts";

/** Milliseconds that a lease lasts at first: short, for it may have been granted to a call that gave up. */
const FIRST_LEASE = 1000;

/** And once who has it has shown that it works: what it takes, at most, to find out that a pod has died while it loaded. */
const LEASE_MS = 2000;

/** The token of who neither has nor wants one. */
export const NO_LEASE = "";

/** Overdue answers at which Redis is asked for no more of them: they would all come, or fail, in the same turn. */
const MAX_OVERDUE = 50;

/** Invalidations that wait for Redis to come back. */
const MAX_OWED = 10_000;

/** Milliseconds after which Redis is told again what it would not hear, though it is there: it may be failing over, or busy. */
const TELL_AGAIN = 1000;

/**
 * A cache's entries in Redis, and the leases of loading them, each command of which may fail: then it is as if there were nothing.
 *
 * Freshness is told by Redis's own expiry, so that no two clocks are compared. Invalidations are told by pub/sub, and again once
 * Redis is back.
 */
export class SharedTier<V> {
  readonly patience: number;
  readonly time: Time;
  readonly events = new Emitter<SharedTierEvent>();
  readonly counts = { hit: 0, stale: 0, miss: 0, followed: 0, late: 0, stored: 0, refused: 0, error: 0 };
  readonly #options: SharedTierOptions<V>;
  readonly #codec: Codec<V>;
  readonly #channel: string;
  /** Tells this pod's own messages and leases from others'. */
  readonly #pod = randomUUID();
  readonly #loads = new Map<string, (news: News) => void>();
  readonly #owed = new Set<string>();
  #telling: NodeJS.Timeout | undefined;
  readonly #end: (() => void)[];
  #tokens = 0;
  #overdue = 0;

  constructor(options: SharedTierOptions<V>) {
    const { redis, name, schema, patience = 1, compressAbove = 1024, time = SYSTEM_TIME } = options;
    this.patience = patience;
    this.time = time;
    this.#options = options;
    this.#codec = new Codec(schema, compressAbove);
    this.#channel = `${redis.prefix}:cache:${name}`;
    this.#end = [
      redis.subscribe(this.#channel, (message) => {
        this.#hear(message);
      }),
      redis.events.on(({ type }) => {
        if (type === "up") this.#back();
        else for (const tell of this.#loads.values()) tell("away");
      }),
    ];
  }

  close(): void {
    clearTimeout(this.#telling);
    for (const end of this.#end) end();
  }

  /** Whether Redis owes an answer for longer than calls wait. Until it has given that, it is asked, but no other call waits for it. */
  get isOverdue(): boolean {
    return this.#overdue > 0;
  }

  /** An answer is overdue until it comes, or fails to. */
  overdue(asked: Promise<unknown>): void {
    this.counts.late += 1;
    this.#overdue += 1;
    void asked.then(() => (this.#overdue -= 1));
  }

  newToken(): string {
    this.#tokens += 1;
    return `${this.#pod}:${this.#tokens}`;
  }

  /** Calls back with what other pods say of a key, until the returned function is called. */
  listen(key: string, listener: (news: News) => void): () => void {
    this.#loads.set(key, listener);
    return () => {
      if (this.#loads.get(key) === listener) this.#loads.delete(key);
    };
  }

  /**
   * Asks for an entry, and for the lease of loading it where it is not fresh and there is a token. Nothing at once where Redis cannot
   * be asked, owes too many answers, or has what is outdated; nothing later when it fails.
   */
  lookUp(key: string, token: string): Promise<Look | undefined> | undefined {
    if (this.#owed.has(key) || this.#overdue >= MAX_OVERDUE) return undefined;
    return this.#run(lookUp, this.#keys(key), [token, FIRST_LEASE, MAX_STORED_BYTES])
      ?.then((reply) => {
        const look = lookOf(reply);
        if (look.lease === LEASE.noRoom) this.counts.refused += 1;
        return look;
      })
      .catch(() => undefined);
  }

  /** An entry's value, fresh or not, if Redis has it and says so in time. */
  async peek(key: string): Promise<SharedValue<V> | undefined> {
    const asked = this.lookUp(key, NO_LEASE);
    if (asked === undefined) return undefined;
    const look = await inTime(asked, this.patience);
    return look === LATE || look === undefined ? undefined : this.read(look);
  }

  /** The value of an entry; nothing for an entry that is none of ours. */
  async read({ entry, freshFor }: Look): Promise<SharedValue<V> | undefined> {
    if (entry === undefined) {
      this.counts.miss += 1;
      return undefined;
    }
    try {
      const value = await this.#codec.decode(entry);
      if (freshFor > 0) this.counts.hit += 1;
      else this.counts.stale += 1;
      return { value, freshFor };
    } catch {
      this.counts.error += 1;
      return undefined;
    }
  }

  /** Stores a value; with a token, only while it holds the lease. Never rejects. */
  async store(key: string, { value, freshFor }: SharedValue<V>, token: string): Promise<void> {
    try {
      const entry = await this.#codec.encode(value);
      if (entry === undefined) {
        this.counts.refused += 1;
        if (token !== NO_LEASE) this.giveBack(key, token);
        return;
      }
      const args = [token, entry, freshFor, this.#options.staleFor, this.#channel, this.#message("stored", key)];
      const result = await this.#run(store, this.#keys(key), args);
      if (result === STORED.stored) this.counts.stored += 1;
      else if (result === STORED.noRoom) this.counts.refused += 1;
    } catch {
      this.counts.error += 1;
      if (token !== NO_LEASE) this.giveBack(key, token);
    }
  }

  /** Keeps a lease. Never rejects: one that is lost is found out when the value is stored. */
  renew(key: string, token: string): void {
    this.#run(renew, this.#keys(key).slice(1), [token, LEASE_MS])?.catch(() => undefined);
  }

  giveBack(key: string, token: string): void {
    const args = [token, this.#channel, this.#message("failed", key)];
    this.#run(giveBack, this.#keys(key).slice(1), args)?.catch(() => undefined);
  }

  /** Forgets an entry in every pod; what Redis cannot be told now it is told once it is back, and until then it is not asked. */
  forget(key: string): void {
    this.#forget(key, this.#message("forgotten", key));
  }

  #forget(key: string, message: string): void {
    this.#options.redis.run(forget, this.#keys(key), [this.#channel, message]).then(
      () => this.#owed.delete(key),
      () => {
        this.counts.error += 1;
        this.#owed.add(key);
        const [oldest = key] = this.#owed;
        if (this.#owed.size > MAX_OWED) this.#owed.delete(oldest);
        // Of one that is away it is heard when it is back.
        if (this.#options.redis.available) this.#tellLater();
      },
    );
  }

  #tellLater(): void {
    this.#telling ??= setTimeout(() => {
      this.#telling = undefined;
      for (const key of this.#owed) this.forget(key);
    }, TELL_AGAIN).unref();
  }

  /** Nothing where Redis is away or the breaker keeps calls from it. */
  #run(
    script: Script,
    keys: readonly string[],
    args: readonly (string | number | Buffer)[],
  ): Promise<unknown> | undefined {
    const { redis, breaker } = this.#options;
    if (!redis.available) return undefined;
    const permit = breaker.tryAcquire();
    if (!permit.admitted) return undefined;
    const reply = redis.run(script, keys, args, { binary: true });
    reply.then(
      () => {
        permit.succeed();
      },
      (error: unknown) => {
        this.counts.error += 1;
        permit.fail(error);
      },
    );
    return reply;
  }

  /** The entry and its lease, which a cluster keeps in one place for their hash tag. */
  #keys(key: string): [entry: string, lease: string] {
    const { redis, name, version } = this.#options;
    const entry = `${redis.prefix}:{cache:${name}:${version}:${key}}`;
    return [entry, `${entry}:lease`];
  }

  #message(news: "stored" | "failed" | "forgotten", key: string): string {
    return `${news} ${this.#pod} ${this.#options.version} ${key}`;
  }

  #hear(message: string): void {
    const [, news, pod, version, key] = /^(stored|failed|forgotten) (\S+) (\S+) (.*)$/s.exec(message) ?? [];
    if (key === undefined || pod === this.#pod) return;
    const isOurs = version === String(this.#options.version);
    if (news === "forgotten") {
      // Its own entry the other version has forgotten itself; what changed is behind ours as well.
      if (!isOurs) this.#forget(key, "");
      this.events.emit({ type: "forgotten", key });
    } else if (isOurs) this.#loads.get(key)?.(news === "stored" ? "stored" : "failed");
  }

  #back(): void {
    for (const key of this.#owed) this.forget(key);
    this.events.emit({ type: "doubtful" });
  }
}

const LEASES: ReadonlySet<unknown> = new Set(Object.values(LEASE));

/** @throws Error for what our script never says */
function lookOf(reply: unknown): Look {
  const parts: readonly unknown[] = Array.isArray(reply) ? reply : [];
  const [lease, freshFor, entry] = parts;
  if (!isLease(lease) || typeof freshFor !== "number") throw new Error("Redis answered a look-up in another shape");
  return { lease, freshFor, entry: Buffer.isBuffer(entry) ? entry : undefined };
}

function isLease(value: unknown): value is Look["lease"] {
  return LEASES.has(value);
}
