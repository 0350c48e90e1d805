import { afterEach, beforeEach, expect, it, jest } from "@jest/globals";
import { brotliCompressSync } from "node:zlib";
import { Cache } from "../../../app/src/cache/cache.ts";
import { describeWithRedis } from "../../redis/describe.ts";
import { startRedis, startRedisCluster, type RedisServer } from "../../redis/server.ts";
import { startPod, until, type Pod, type PodOptions, type Thing } from "./pods.ts";

// A busy machine may take its time.
jest.setTimeout(30_000);

/** Milliseconds that a busy machine may take to do nothing at all, and those that a command may take: far more. */
const HICCUP = 1500;
const TIMEOUT = 4000;

let server: RedisServer;
const pods: Pod[] = [];

afterEach(async () => {
  await Promise.all(pods.splice(0).map((pod) => pod.close()));
  await server.close();
});

async function pod(options: Partial<PodOptions> = {}): Promise<Pod> {
  const started = await startPod({ url: server.url, ...options });
  pods.push(started);
  return started;
}

const loaded = (name: string) => () => Promise.resolve({ name });
const stored = (one: Pod, values = 1) => until(() => one.tier.counts.stored === values);

/** Resolves once a value that one pod loads is found by the other. */
async function sharingWorks(one: Pod, other: Pod): Promise<void> {
  let attempt = 0;
  await until(async () => {
    attempt += 1;
    const before = one.tier.counts.stored;
    await one.cache.fetch(`shared again ${attempt}`, loaded("again"));
    const start = performance.now();
    await until(() => one.tier.counts.stored > before || performance.now() - start > 50);
    return (await other.cache.fetch(`shared again ${attempt}`, loaded("own"))).source === "shared";
  });
}

/** The longest of calls that are made one after the other, while something is done to Redis. */
async function longest(cache: Cache<Thing>, milliseconds: number): Promise<{ calls: number; longest: number }> {
  const start = performance.now();
  let calls = 0;
  let most = 0;
  while (performance.now() - start < milliseconds) {
    const asked = performance.now();
    expect(await cache.fetch(`${start} ${calls}`, loaded("own"))).toMatchObject({ value: { name: "own" } });
    most = Math.max(most, performance.now() - asked);
    calls += 1;
    await new Promise((resolve) => setImmediate(resolve));
  }
  return { calls, longest: most };
}

describeWithRedis("a cache whose Redis", () => {
  beforeEach(async () => {
    server = await startRedis();
  });

  it("hangs lets no call wait, and shares again when it is back", async () => {
    const [one, other] = [await pod({ wait: 1, timeout: TIMEOUT }), await pod({ wait: 1, timeout: TIMEOUT })];
    const alone = new Cache<Thing>({ name: "alone", ttl: 60_000 });
    server.pause();
    const while_ = await longest(one.cache, 1500);
    const without = await longest(alone, 200);
    server.resume();

    expect(while_.calls).toBeGreaterThan(100);
    expect(while_.longest).toBeLessThan(without.longest + HICCUP);
    expect(one.tier.counts.late).toBeGreaterThan(0);
    await sharingWorks(one, other);
  });

  it("dies and comes back empty lets no call fail or wait, and shares again", async () => {
    const [one, other] = [await pod({ wait: 1, timeout: TIMEOUT }), await pod({ wait: 1, timeout: TIMEOUT })];
    await one.cache.fetch("a", loaded("kept"));
    await server.kill();
    expect((await longest(one.cache, 500)).longest).toBeLessThan(HICCUP);
    expect(one.cache.get("a")).toEqual({ name: "kept" });
    await server.start();

    await sharingWorks(one, other);
  });

  it("becomes a replica is left for the primary that its address leads to", async () => {
    const [one, other] = [await pod({ timeout: 500 }), await pod()];
    const primary = await startRedis();
    await server.admin("REPLICAOF", "127.0.0.1", String(primary.port));
    let reason = "";
    one.redis.events.on((event) => {
      if (event.type === "down") reason = event.reason;
    });
    let attempt = 0;
    await until(async () => {
      attempt += 1;
      await one.cache.fetch(`while ${attempt}`, loaded("own"));
      return reason !== "";
    });
    await server.admin("REPLICAOF", "NO", "ONE");
    await primary.close();

    expect(reason).toBe("it has become a replica");
    await sharingWorks(one, other);
  });

  it("has no room left stores nothing and fails no call, and does again when there is room", async () => {
    const [one, other] = [await pod(), await pod()];
    await one.cache.fetch("before", loaded("before"));
    await stored(one);
    await server.admin("CONFIG", "SET", "maxmemory", "1");
    for (let index = 0; index < 20; index += 1)
      expect(await one.cache.fetch(`full ${index}`, loaded("own"))).toMatchObject({ source: "computed" });
    expect(await other.cache.fetch("before", loaded("own"))).toMatchObject({ source: "shared" });
    await until(() => one.tier.counts.refused === 20);
    expect(one.tier.counts).toMatchObject({ stored: 1, error: 0 });
    await server.admin("CONFIG", "SET", "maxmemory", "0");

    await sharingWorks(one, other);
  });

  it("allows only what managed services do is all it needs", async () => {
    const [one, other] = [await pod({ url: server.restrictedUrl }), await pod({ url: server.restrictedUrl })];
    await sharingWorks(one, other);

    expect(one.tier.counts.error + other.tier.counts.error).toBe(0);
  });

  it("refuses every command is left alone by the breaker, costs no call anything, and is counted once for each", async () => {
    const [one] = [await pod()];
    await server.admin("ACL", "SETUSER", "default", "-getrange", "-set");
    for (let index = 0; index < 50; index += 1)
      expect(await one.cache.fetch(`a${index}`, loaded("own"))).toMatchObject({ source: "computed" });

    expect(one.breaker.state).toBe("open");
    expect(one.tier.counts.error).toBe(one.breaker.stats.failures);
  });

  it("refuses to store a value is counted once for it", async () => {
    const one = await pod();
    await server.admin("ACL", "SETUSER", "default", "-set");
    await one.cache.fetch("a", loaded("own"));
    await until(() => one.breaker.stats.failures === 1);

    expect(one.tier.counts).toMatchObject({ miss: 1, stored: 0, refused: 0, error: 1 });
    expect(one.breaker.stats).toMatchObject({ state: "closed", failures: 1 });
  });

  const ENTRY = "mcp:cache:things:1:a";
  const bomb = brotliCompressSync(Buffer.alloc(64 * 1024 * 1024, 32));
  it.each<[string, Buffer]>([
    ["another shape", Buffer.from('\0{"name":5}')],
    ["a prototype", Buffer.from('\0{"name":"x","__proto__":{"polluted":true}}')],
    ["a prototype in disguise", Buffer.from('\0{"name":"x","\\u005f_proto_\\u005F":{"polluted":true}}')],
    ["no JSON", Buffer.from("\0{name")],
    ["an unknown format", Buffer.from('\x07{"name":"x"}')],
    ["nothing", Buffer.alloc(0)],
    ["what cannot be decompressed", Buffer.from("\x01 nonsense")],
    ["64 MiB in a few bytes", Buffer.concat([Buffer.of(1), bomb])],
  ])("holds %s under its key loads the value, and replaces it", async (_what, entry) => {
    const one = await pod();
    const header = Buffer.alloc(8);
    header.writeDoubleBE(Date.now() + 60_000);
    await one.redis.command(["SET", ENTRY, Buffer.concat([header, entry])]);

    expect(await one.cache.fetch("a", loaded("own"))).toEqual({ value: { name: "own" }, source: "computed" });
    expect(one.tier.counts.error).toBe(1);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });

  it.each([
    ["megabytes", ["SET", ENTRY, "x".repeat(2 * 1024 * 1024)]],
    ["a few bytes", ["SET", ENTRY, "x"]],
    ["a hash", ["HSET", ENTRY, "value", "x"]],
  ])("holds %s under its key loads the value, and replaces it", async (_what, command) => {
    const one = await pod();
    await server.admin(...command);

    expect(await one.cache.fetch("a", loaded("own"))).toEqual({ value: { name: "own" }, source: "computed" });
    await stored(one);
    expect(await (await pod()).cache.fetch("a", loaded("other"))).toMatchObject({ source: "shared" });
    expect(one.tier.counts.error).toBe(1);
    expect(one.breaker.stats.failures).toBe(0);
  });
});

describeWithRedis("caches that share a cluster", () => {
  it("find what one of them has loaded, whichever node has it", async () => {
    const cluster = await startRedisCluster();
    [server] = cluster.nodes as [RedisServer];
    const [one, other] = [
      await pod({ url: cluster.url, cluster: true }),
      await pod({ url: cluster.url, cluster: true }),
    ];
    for (let index = 0; index < 20; index += 1) await one.cache.fetch(`key ${index}`, loaded("first"));
    await stored(one, 20);
    for (let index = 0; index < 20; index += 1)
      expect(await other.cache.fetch(`key ${index}`, loaded("second"))).toMatchObject({ source: "shared" });
    await Promise.all(pods.splice(0).map((each) => each.close()));
    await cluster.close();
  }, 20_000);
});
