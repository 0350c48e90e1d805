import { afterEach, beforeEach, expect, it, jest } from "@jest/globals";
import { brotliCompressSync } from "node:zlib";
import { Cache } from "../../../app/src/cache/cache.ts";
import { describeWithRedis } from "../../redis/describe.ts";
import { startRedis, startRedisCluster, type RedisServer } from "../../redis/server.ts";
import { startPod, until, up, type Pod, type PodOptions, type Thing } from "./pods.ts";

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
    const [one, other] = [await pod({ patience: 1, timeout: TIMEOUT }), await pod({ patience: 1, timeout: TIMEOUT })];
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
    const [one, other] = [await pod({ patience: 1, timeout: TIMEOUT }), await pod({ patience: 1, timeout: TIMEOUT })];
    await one.cache.fetch("a", loaded("kept"));
    await server.kill();
    expect((await longest(one.cache, 500)).longest).toBeLessThan(HICCUP);
    expect(one.cache.get("a")).toEqual({ name: "kept" });
    await server.start();

    await sharingWorks(one, other);
  });

  it("is emptied while a value is loaded answers all who wait for it", async () => {
    const [one, other] = [await pod(), await pod()];
    const answers: PromiseWithResolvers<Thing>[] = [];
    const load = () => {
      const answer = Promise.withResolvers<Thing>();
      answers.push(answer);
      return answer.promise;
    };
    const first = one.cache.fetch("a", load);
    await until(() => answers.length === 1);
    const second = other.cache.fetch("a", load);
    await until(() => other.tier.counts.followed === 1);
    await server.flush();
    // Whose lease is gone leads no more: the one who followed finds that out by itself.
    await until(() => answers.length === 2);
    answers[1]?.resolve({ name: "second" });
    answers[0]?.resolve({ name: "first" });

    expect(await first).toEqual({ value: { name: "first" }, source: "computed" });
    expect(await second).toEqual({ value: { name: "second" }, source: "computed" });
    await sharingWorks(one, other);
  });

  it("dies while others wait for a load lets each load by itself", async () => {
    const [one, other] = [await pod(), await pod()];
    const answers: PromiseWithResolvers<Thing>[] = [];
    const load = () => {
      const answer = Promise.withResolvers<Thing>();
      answers.push(answer);
      return answer.promise;
    };
    const first = one.cache.fetch("a", load);
    await until(() => answers.length === 1);
    const second = other.cache.fetch("a", load);
    await until(() => other.tier.counts.followed === 1);
    await server.kill();
    await until(() => answers.length === 2);
    for (const [index, { resolve }] of answers.entries()) resolve({ name: String(index) });

    expect(await first).toMatchObject({ value: { name: "0" } });
    expect(await second).toMatchObject({ value: { name: "1" } });
  });

  it("answers late is still heard: another pod's value cancels the load that was begun without it", async () => {
    const [one, other] = [await pod(), await pod({ patience: 1 })];
    await one.cache.fetch("a", loaded("theirs"));
    await stored(one);
    server.pause();
    let reason: unknown;
    const call = other.cache.fetch("a", async ({ signal }) => {
      server.resume();
      await new Promise((resolve) => {
        signal.addEventListener("abort", resolve);
      });
      reason = signal.reason;
      throw new Error("cancelled");
    });

    expect(await call).toEqual({ value: { name: "theirs" }, source: "shared" });
    expect(String(reason)).toContain("another pod had the value");
  });

  it("is away when a value is invalidated is told once it is back, and is not believed until then", async () => {
    await server.close();
    // What was stored has to outlive the restart.
    server = await startRedis(["--appendonly", "yes", "--appendfsync", "always"]);
    const [one, other] = [await pod(), await pod()];
    await one.cache.fetch("a", loaded("old"));
    await stored(one);
    await other.cache.fetch("a", loaded("old"));
    await server.kill();
    await until(() => !one.redis.available);
    one.cache.invalidate("a");
    expect(await one.cache.fetch("a", loaded("new"))).toMatchObject({ value: { name: "new" } });
    await server.start();
    await Promise.all([up(one.redis), up(other.redis)]);

    // The other one may have missed it: what it has is not fresh any more, and Redis forgets the old value as soon as it is told.
    await until(async () => (await server.admin("EXISTS", "mcp:{cache:things:1:a}")) === 0);
    expect(await other.cache.fetch("a", loaded("new"))).toMatchObject({ value: { name: "new" } });
  });

  it("would not hear of an invalidation is told again", async () => {
    const [one, other] = [await pod(), await pod()];
    await one.cache.fetch("a", loaded("old"));
    await stored(one);
    await other.cache.fetch("a", loaded("old"));
    await server.admin("ACL", "SETUSER", "default", "-evalsha", "-eval");
    one.cache.invalidate("a");
    await until(() => one.tier.counts.error === 1);
    await server.admin("ACL", "SETUSER", "default", "+evalsha", "+eval");

    await until(() => other.cache.get("a") === undefined);
    expect(await other.cache.fetch("a", loaded("new"))).toMatchObject({ value: { name: "new" } });
  });

  it("was away may have missed what was invalidated: what is loaded or remembered meanwhile is not believed", async () => {
    const one = await pod({ negative: { isAnswer: () => true, ttl: 60_000 } });
    const answer = Promise.withResolvers<Thing>();
    await expect(one.cache.fetch("none", () => Promise.reject(new Error("no such thing")))).rejects.toThrow("no such");
    const call = one.cache.fetch("a", () => answer.promise);
    await until(() => one.cache.stats.loads === 2);
    await server.kill();
    await until(() => !one.redis.available);
    await server.start();
    await up(one.redis);
    answer.resolve({ name: "old" });

    expect(await call).toMatchObject({ value: { name: "old" } });
    expect(await one.cache.fetch("a", loaded("new"))).toMatchObject({ value: { name: "new" } });
    expect(await one.cache.fetch("none", loaded("there"))).toMatchObject({ value: { name: "there" } });
  });

  it("was away is not given what was loaded meanwhile without a lease", async () => {
    const one = await pod({ ttl: 0, staleIfError: 60_000 });
    const answer = Promise.withResolvers<Thing>();
    const call = one.cache.fetch("a", () => answer.promise);
    await server.kill();
    await until(() => !one.redis.available);
    await server.start();
    await up(one.redis);
    answer.resolve({ name: "old" });
    await call;
    await one.cache.fetch("b", loaded("new"));
    await stored(one);

    expect(await server.admin("EXISTS", "mcp:{cache:things:1:a}")).toBe(0);
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
    expect(one.tier.counts).toMatchObject({ stored: 1, refused: 20, error: 0 });
    await server.admin("CONFIG", "SET", "maxmemory", "0");

    await sharingWorks(one, other);
  });

  it("allows only what managed services do is all it needs", async () => {
    const [one, other] = [await pod({ url: server.restrictedUrl }), await pod({ url: server.restrictedUrl })];
    await sharingWorks(one, other);
    one.cache.invalidate("shared again 1");
    await until(() => other.cache.get("shared again 1") === undefined);

    expect(one.tier.counts.error + other.tier.counts.error).toBe(0);
  });

  it("refuses every command is left alone by the breaker, and costs no call anything", async () => {
    const [one] = [await pod()];
    await server.admin("ACL", "SETUSER", "default", "-evalsha", "-eval");
    for (let index = 0; index < 50; index += 1)
      expect(await one.cache.fetch(`a${index}`, loaded("own"))).toMatchObject({ source: "computed" });

    expect(one.breaker.state).toBe("open");
    expect(one.tier.counts.error).toBe(2);
  });

  const ENTRY = "mcp:{cache:things:1:a}";
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
    const script =
      "redis.call('HSET', KEYS[1], 'value', ARGV[1], 'stale', '0') return redis.call('PEXPIRE', KEYS[1], 60000)";
    await one.redis.command(["EVAL", script, "1", ENTRY, entry]);

    expect(await one.cache.fetch("a", loaded("own"))).toEqual({ value: { name: "own" }, source: "computed" });
    expect(one.tier.counts.error).toBe(1);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });

  it("holds no hash under its key loads the value, and replaces it", async () => {
    const one = await pod();
    await server.admin("SET", ENTRY, "something else");

    expect(await one.cache.fetch("a", loaded("own"))).toEqual({ value: { name: "own" }, source: "computed" });
    await stored(one);
    expect(await (await pod()).cache.fetch("a", loaded("other"))).toMatchObject({ source: "shared" });
    expect(one.breaker.stats.failures).toBe(0);
  });

  it.each([
    ["no lease where leases are", ["SET", `${ENTRY}:lease`, "something else"]],
    ["a lease that never ends", ["HSET", `${ENTRY}:lease`, "token", "something else"]],
  ])("holds %s lets nobody wait for its end", async (_what, command) => {
    const one = await pod();
    await server.admin(...command);

    expect(await one.cache.fetch("a", loaded("own"))).toEqual({ value: { name: "own" }, source: "computed" });
    expect(one.tier.counts.followed).toBe(0);
  });

  it("holds megabytes under its key does not even send them", async () => {
    const one = await pod();
    await server.admin("HSET", ENTRY, "value", "x".repeat(2 * 1024 * 1024), "stale", "0");

    expect(await one.cache.fetch("a", loaded("own"))).toEqual({ value: { name: "own" }, source: "computed" });
    expect(one.tier.counts).toMatchObject({ miss: 1, error: 0 });
  });
});

describeWithRedis("caches that share a cluster", () => {
  it("find what one of them has loaded, whichever node has it, and forget what one invalidates", async () => {
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
    one.cache.invalidate("key 1");
    await until(() => other.cache.get("key 1") === undefined);

    await Promise.all(pods.splice(0).map((each) => each.close()));
    await cluster.close();
  }, 20_000);
});
