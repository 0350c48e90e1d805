import { afterAll, afterEach, beforeAll, expect, it, jest } from "@jest/globals";
import { Breaker } from "../../../app/src/resilience/breaker.ts";
import { PLAIN_CALL } from "../../../app/src/resilience/call.ts";
import { RedisConnection } from "../../../app/src/redis/connection.ts";
import { Disk } from "../../../app/src/store/disk/disk.ts";
import { Drain, type DrainEvent } from "../../../app/src/store/drain.ts";
import { RedisQueue } from "../../../app/src/store/redis/redis-queue.ts";
import type { Write } from "../../../app/src/store/store.ts";
import { MAX_REFUSALS } from "../../../app/src/store/write-queue.ts";
import { describeWithRedis } from "../../redis/describe.ts";
import { startRedis, startRedisCluster, type RedisServer } from "../../redis/server.ts";
import { aFolder, hold, recordsIn } from "./a-folder.ts";

// A busy machine may take its time.
jest.setTimeout(30_000);

const write = (version: number, more: Partial<Write> = {}): Write => ({
  key: `key ${version}`,
  value: '"v"',
  idempotencyKey: `write ${version}`,
  digest: `digest ${version}`,
  version,
  ...more,
});

const connections: RedisConnection[] = [];

afterEach(async () => {
  for (const connection of connections.splice(0)) await connection.close();
});

async function connected(url: string, cluster = false): Promise<RedisConnection> {
  const redis = new RedisConnection({ url, cluster, prefix: "mcp", timeout: 2000 });
  connections.push(redis);
  if (!redis.available) await new Promise((resolve) => redis.events.on(resolve));
  return redis;
}

async function aQueue(url: string, { claimAfter = 60_000, cluster = false } = {}): Promise<RedisQueue> {
  return new RedisQueue({ redis: await connected(url, cluster), claimAfter });
}

/** Resolves with the first event of which something holds. */
function until(drain: Drain, holds: (event: DrainEvent) => boolean): Promise<DrainEvent> {
  return new Promise((resolve) => {
    const leave = drain.events.on((event) => {
      if (!holds(event)) return;
      leave();
      resolve(event);
    });
  });
}

describeWithRedis("the queue in Redis", () => {
  let server: RedisServer;

  beforeAll(async () => {
    server = await startRedis();
  });

  afterEach(async () => {
    await server.flush();
  });

  afterAll(async () => {
    await server.close();
  });

  it("gives each write to one pod, in order, and none to another before its time", async () => {
    const [one, other] = [await aQueue(server.url), await aQueue(server.url)];
    for (let version = 1; version <= 5; version += 1) await one.add(write(version));
    const first = await one.take(3);
    const rest = await other.take(10);

    expect([...first, ...rest].map((entry) => entry.write)).toEqual([1, 2, 3, 4, 5].map((version) => write(version)));
    expect(await one.take(10)).toEqual([]);
    await one.settle({ taken: first.map(({ id }) => id), refused: [] });
    expect(await other.settle({ taken: rest.map(({ id }) => id), refused: [] })).toEqual({
      depth: 0,
      oldest: undefined,
      deadLetters: 0,
    });
  });

  it("gives what a pod took and did not settle to another", async () => {
    const gone = await aQueue(server.url);
    await gone.add(write(1));
    await gone.add(write(2));
    expect(await gone.take(1)).toHaveLength(1);

    const next = await aQueue(server.url, { claimAfter: 0 });
    expect((await next.take(10)).map((entry) => entry.write.version)).toEqual([1, 2]);
  });

  it("is emptied as soon as the store is back, though it was offered to the store while that was down", async () => {
    const folder = await aFolder();
    const disk = new Disk({ folder, durability: "volume" });
    await disk.ping(PLAIN_CALL);
    const queue = await aQueue(server.url, { claimAfter: 60_000 });
    for (let version = 1; version <= 150; version += 1) await queue.add(write(version));
    const letGo = hold(folder);
    const breaker = new Breaker({ name: "database", failureThreshold: 1, recoveryTimeout: 50 });
    const drain = new Drain({ queue, store: disk, breaker });
    await until(drain, ({ type }) => type === "failed");
    letGo();
    await until(drain, () => drain.stats.depth === 0);
    await drain.close();
    await disk.close();

    expect(recordsIn(folder).size).toBe(150);
  });

  it("takes a write once while it waits, whichever pod is asked, and refuses another under its name", async () => {
    const [one, other] = [await aQueue(server.url), await aQueue(server.url)];
    await one.add(write(1));

    expect(await other.add(write(9, { idempotencyKey: "write 1", digest: "digest 1" }))).toMatchObject({
      kind: "taken",
      version: 1,
      replayed: true,
    });
    expect(await other.add(write(9, { idempotencyKey: "write 1" }))).toMatchObject({ kind: "refused" });
    expect(await one.settle({ taken: [], refused: [] })).toMatchObject({ depth: 1, oldest: 1 });
  });

  it("takes a write anew that Redis has lost, rather than say that it waits", async () => {
    const queue = await aQueue(server.url);
    await queue.add(write(1));
    await server.admin("DEL", "mcp:{writes}:queue");

    expect(await queue.add(write(1))).toMatchObject({ replayed: false });
    expect(await queue.take(10)).toHaveLength(1);
  });

  it("makes a dead letter of what was refused often enough, with the reason, and lets the others pass", async () => {
    const queue = await aQueue(server.url, { claimAfter: 0 });
    await queue.add(write(1));
    for (let time = 1; time <= MAX_REFUSALS; time += 1) {
      const [entry] = await queue.take(1);
      const refused = [{ id: entry?.id ?? "", reason: "too odd" }];
      const { depth, deadLetters } = await queue.settle({ taken: [], refused });
      expect([depth, deadLetters]).toEqual(time < MAX_REFUSALS ? [1, 0] : [0, 1]);
    }

    expect(JSON.stringify(await server.admin("XRANGE", "mcp:{writes}:dead", "-", "+"))).toMatch(/too odd.*write 1/);
    expect(await queue.add(write(1))).toMatchObject({ replayed: false });
  });

  it("passes over what is not a write, and buries it in the end", async () => {
    const queue = await aQueue(server.url, { claimAfter: 0 });
    await server.admin("XADD", "mcp:{writes}:queue", "*", "something", "else");
    await queue.add(write(1));
    for (let time = 1; time < MAX_REFUSALS; time += 1) expect(await queue.take(10)).toHaveLength(1);
    await queue.take(10);

    expect(await queue.settle({ taken: [], refused: [] })).toMatchObject({ depth: 1, deadLetters: 1 });
  });

  it("says that Redis keeps it in memory, where it keeps no file", async () => {
    expect(await (await aQueue(server.url)).add(write(1))).toMatchObject({ durability: "redis-memory" });
  });

  it("says that Redis keeps it in a file, where it does", async () => {
    const durable = await startRedis(["--appendonly", "yes"]);
    expect(await (await aQueue(durable.url)).add(write(1))).toMatchObject({ durability: "redis-aof" });
    await durable.close();
  });

  it("works with what managed services allow, and does not guess where it may not ask", async () => {
    const restricted = await aQueue(server.restrictedUrl);
    expect(await restricted.add(write(1))).toMatchObject({ kind: "taken", durability: "redis-memory" });
    await server.admin("ACL", "SETUSER", "app", "-info");
    expect(await restricted.add(write(2))).toMatchObject({ kind: "taken", durability: "redis-unknown" });
    const taken = (await restricted.take(10)).map(({ id }) => id);
    await restricted.giveBack(taken);

    expect((await restricted.take(10)).map(({ id }) => id)).toEqual(taken);
    expect(taken).toHaveLength(2);
    expect(await restricted.settle({ taken, refused: [] })).toMatchObject({ depth: 0 });
  });

  it("takes nothing when Redis has no memory left, and still gives out what it has", async () => {
    const full = await startRedis(["--maxmemory", "3mb", "--maxmemory-policy", "noeviction"]);
    const queue = await aQueue(full.url);
    const value = JSON.stringify("x".repeat(60_000));
    let added = 0;
    await expect(async () => {
      for (; added < 1000; added += 1) await queue.add(write(added + 1, { value }));
    }).rejects.toThrow(/OOM/);
    const taken = await queue.take(1000);

    expect(taken).toHaveLength(added);
    expect(await queue.settle({ taken: taken.map(({ id }) => id), refused: [] })).toMatchObject({ depth: 0 });
    await full.close();
  });

  it("takes nothing where Redis would throw it out for something newer", async () => {
    const cache = await startRedis(["--maxmemory", "50mb", "--maxmemory-policy", "allkeys-lru"]);
    await expect((await aQueue(cache.url)).add(write(1))).rejects.toThrow(/evicts/);
    await cache.close();
  });

  it("works in a cluster", async () => {
    const cluster = await startRedisCluster();
    const queue = await aQueue(cluster.url, { cluster: true });
    await queue.add(write(1));
    const [entry] = await queue.take(10);

    expect(entry?.write).toEqual(write(1));
    expect(await queue.settle({ taken: [entry?.id ?? ""], refused: [] })).toMatchObject({ depth: 0 });
    await queue.settle({ taken: [], refused: [] });
    for (const connection of connections.splice(0)) await connection.close();
    await cluster.close();
  }, 20_000);
});
