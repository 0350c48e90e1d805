import { z } from "zod";
import type { Redis } from "../../redis/redis.ts";
import { loadScript } from "../../redis/script.ts";
import { ownerOf } from "../owner.ts";
import { repeated, type Durability, type Outcome, type Write } from "../store.ts";
import {
  MAX_OWNED,
  MAX_REFUSALS,
  OWNER_IS_FULL,
  type QueuedWrite,
  type QueueStats,
  type Settlement,
  type WriteQueue,
} from "../write-queue.ts";

const enqueueWrite = loadScript("store/redis/enqueue-write.lua");
const takeWrites = loadScript("store/redis/take-writes.lua");
const settleWrites = loadScript("store/redis/settle-writes.lua");

/** Writes that may wait. At their largest they take about 650 MB. */
const MAX_DEPTH = 10_000;

const DURABILITY = { aof: "redis-aof", memory: "redis-memory", unknown: "redis-unknown" } as const;

const persisted = z.enum(["aof", "memory", "unknown"]);

const enqueued = z.union([
  z.tuple([z.enum(["full", "owner-full", "evicts"])]),
  z.tuple([z.literal("taken"), persisted]),
  z.tuple([z.literal("repeated"), persisted, z.string(), z.coerce.number()]),
]);

const entries = z.array(z.tuple([z.string(), z.array(z.string())]));

const writeFields = z.object({
  key: z.string(),
  value: z.string(),
  idempotencyKey: z.string(),
  digest: z.string(),
  version: z.coerce.number().int().positive(),
});

const settled = z.tuple([z.number(), z.string(), z.number()]);

export interface RedisQueueOptions {
  readonly redis: Redis;
  /** Milliseconds after which another pod gets unsettled writes; longer than settling takes. */
  readonly claimAfter: number;
}

/**
 * The writes that wait for the store, in a Redis Stream that all pods share.
 *
 * It is as durable as Redis is configured. Each receipt names the durability, if Redis reports it.
 */
export class RedisQueue implements WriteQueue {
  readonly name = "redis";
  readonly #redis: Redis;
  readonly #claimAfter: number;
  readonly #keys: {
    readonly stream: string;
    readonly waiting: string;
    readonly refusals: string;
    readonly dead: string;
  };

  constructor({ redis, claimAfter }: RedisQueueOptions) {
    this.#redis = redis;
    this.#claimAfter = claimAfter;
    const key = (name: string) => `${redis.prefix}:{writes}:${name}`;
    this.#keys = { stream: key("queue"), waiting: key("waiting"), refusals: key("refusals"), dead: key("dead") };
  }

  get available(): boolean {
    return this.#redis.available;
  }

  /** @throws Error when it is full, or when Redis evicts keys and could lose the write */
  async add(write: Write): Promise<Outcome & { readonly durability: Durability }> {
    const { key, value, idempotencyKey, digest, version } = write;
    const answer = enqueued.parse(
      await this.#redis.run(
        enqueueWrite,
        [this.#keys.stream, this.#keys.waiting],
        [MAX_DEPTH, idempotencyKey, key, value, digest, version, ownerOf(key), MAX_OWNED],
      ),
    );
    switch (answer[0]) {
      case "full":
        throw new Error(`the queue in Redis is full: ${MAX_DEPTH} writes wait in it`);
      case "owner-full":
        return { kind: "refused", reason: OWNER_IS_FULL, durability: "redis-unknown" };
      case "evicts":
        throw new Error(
          "Redis evicts keys when its memory is full (maxmemory-policy allkeys-…): a queue could be lost",
        );
      case "taken":
        return { kind: "taken", version, replayed: false, durability: DURABILITY[answer[1]] };
      case "repeated":
        return {
          ...repeated({ digest: answer[2], version: answer[3] }, write),
          durability: DURABILITY[answer[1]],
        };
    }
  }

  async take(limit: number): Promise<readonly QueuedWrite[]> {
    const answer = entries.parse(await this.#redis.run(takeWrites, [this.#keys.stream], [limit, this.#claimAfter]));
    const read = answer.map(([id, fields]) => ({ id, ...writeFields.safeParse(Object.fromEntries(pairs(fields))) }));
    const unreadable = read.filter(({ success }) => !success).map(({ id }) => ({ id, reason: "not a write" }));
    if (unreadable.length > 0) await this.settle({ taken: [], refused: unreadable });
    return read.flatMap(({ id, data }) => (data === undefined ? [] : [{ id, write: data }]));
  }

  giveBack(ids: readonly string[]): Promise<unknown> {
    const asIfTakenLongAgo = ["IDLE", String(this.#claimAfter), "JUSTID"];
    return this.#redis.command(["XCLAIM", this.#keys.stream, "store", "pods", "0", ...ids, ...asIfTakenLongAgo]);
  }

  async settle(settlement: Settlement): Promise<QueueStats> {
    const { stream, waiting, refusals, dead } = this.#keys;
    const [depth, oldest, deadLetters] = settled.parse(
      await this.#redis.run(
        settleWrites,
        [stream, waiting, refusals, dead],
        [JSON.stringify(settlement), MAX_REFUSALS],
      ),
    );
    return { depth, oldest: oldest === "" ? undefined : Number(oldest), deadLetters };
  }
}

function pairs(fields: readonly string[]): [string, string][] {
  const names = fields.filter((_, index) => index % 2 === 0);
  return names.map((name, index) => [name, fields[2 * index + 1] ?? ""]);
}
