import { afterAll, afterEach, beforeAll, beforeEach, expect, it, jest } from "@jest/globals";
import { CallerCall, type Call } from "../../../app/src/resilience/call.ts";
import { describeWithRedis } from "../../redis/describe.ts";
import { startRedis, type RedisServer } from "../../redis/server.ts";
import { startPod, until, type Pod, type PodOptions, type Thing } from "./pods.ts";

// A busy machine may take its time.
jest.setTimeout(30_000);

let server: RedisServer;
const pods: Pod[] = [];

beforeAll(async () => {
  server = await startRedis();
});

afterAll(async () => {
  await server.close();
});

beforeEach(async () => {
  await server.flush();
});

afterEach(async () => {
  await Promise.all(pods.splice(0).map((pod) => pod.close()));
});

async function pod(options: Partial<PodOptions> = {}): Promise<Pod> {
  const started = await startPod({ url: server.url, ...options });
  pods.push(started);
  return started;
}

/** Something that takes as long as a test wants it to. */
function origin() {
  const loads: (PromiseWithResolvers<Thing> & { readonly call: Call })[] = [];
  return {
    loads,
    load: (call: Call) => {
      const answer = Promise.withResolvers<Thing>();
      loads.push({ ...answer, call });
      return answer.promise;
    },
  };
}

const loaded = (name: string) => () => Promise.resolve({ name });
const failing = () => Promise.reject<Thing>(new Error("the origin is down"));
const stored = (one: Pod, values = 1) => until(() => one.tier.counts.stored === values);

describeWithRedis("caches that share Redis", () => {
  it("find what one of them has loaded", async () => {
    const [one, other] = [await pod(), await pod()];
    expect(await one.cache.fetch("a", loaded("first"))).toEqual({ value: { name: "first" }, source: "computed" });
    await stored(one);

    expect(await other.cache.fetch("a", loaded("second"))).toEqual({ value: { name: "first" }, source: "shared" });
    expect(await other.cache.fetch("a", loaded("second"))).toEqual({ value: { name: "first" }, source: "memory" });
    expect(other.cache.stats).toMatchObject({ loads: 0, shared: { hit: 1 } });
  });

  it("keep a value fresh everywhere for only as long as it is where it was loaded", async () => {
    const [one, other] = [await pod({ ttl: 1000, jitter: 0 }), await pod({ ttl: 1000, jitter: 0 })];
    await one.cache.fetch("a", loaded("first"));
    await stored(one);
    const start = performance.now();
    await until(() => performance.now() - start > 500);
    expect(await other.cache.fetch("a", loaded("second"))).toMatchObject({ source: "shared" });
    // Long before a second after that.
    await until(() => performance.now() - start > 1200);

    expect(other.cache.get("a")).toBeUndefined();
    expect(await other.cache.fetch("a", loaded("second"))).toMatchObject({ source: "computed" });
  });

  it("load a cold value once for all of them, and the others wait for it", async () => {
    const { load, loads } = origin();
    const all = [await pod(), await pod(), await pod()];
    const calls = all.flatMap(({ cache }) => Array.from({ length: 100 }, () => cache.fetch("a", load)));
    await until(() => all.filter(({ tier }) => tier.counts.followed === 1).length === 2);
    expect(loads.length).toBe(1);
    loads[0]?.resolve({ name: "once" });

    const found = await Promise.all(calls);
    expect(new Set(found.map(({ value }) => value.name))).toEqual(new Set(["once"]));
    expect(found.filter(({ source }) => source === "computed").length).toBe(100);
    expect(found.filter(({ source }) => source === "shared").length).toBe(200);
    expect(loads.length).toBe(1);
  });

  it("hold a lease for as long as loading takes", async () => {
    const { load, loads } = origin();
    const [one, other] = [await pod(), await pod()];
    const first = one.cache.fetch("a", load);
    await until(() => loads.length === 1);
    const second = other.cache.fetch("a", load);
    const start = performance.now();
    await until(() => performance.now() - start > 1200);
    expect(loads.length).toBe(1);
    loads[0]?.resolve({ name: "slow" });

    expect(await first).toMatchObject({ source: "computed" });
    expect(await second).toEqual({ value: { name: "slow" }, source: "shared" });
  });

  it("do not share an error: who waited for a load that failed loads by itself", async () => {
    const { load, loads } = origin();
    const [one, other] = [await pod(), await pod()];
    const first = one.cache.fetch("a", load);
    await until(() => loads.length === 1);
    const second = other.cache.fetch("a", load);
    await until(() => other.tier.counts.followed === 1);
    loads[0]?.reject(new Error("only here"));
    await expect(first).rejects.toThrow("only here");
    await until(() => loads.length === 2);
    loads[1]?.resolve({ name: "there" });

    expect(await second).toEqual({ value: { name: "there" }, source: "computed" });
  });

  it("give the lease back when nobody waits for the value any more", async () => {
    const { load, loads } = origin();
    const [one, other] = [await pod(), await pod()];
    const controller = new AbortController();
    const first = one.cache.fetch("a", load, new CallerCall({ signal: controller.signal }));
    const left = async () => Number(await server.admin("PTTL", "mcp:{cache:things:1:a}:lease"));
    // It has shown that it is at work, so that its lease is a long one.
    await until(async () => (await left()) > 1500);
    controller.abort(new Error("gone"));
    await expect(first).rejects.toThrow("gone");
    const start = performance.now();

    expect(await other.cache.fetch("a", loaded("other"))).toMatchObject({ source: "computed" });
    expect(performance.now() - start).toBeLessThan(1200);
    expect(loads[0]?.call.cancelled).toBe(true);
  });

  it("let nobody wait for a value that cannot be shared", async () => {
    const { load, loads } = origin();
    const [one, other] = [await pod(), await pod()];
    const first = one.cache.fetch("a", load);
    await until(() => loads.length === 1);
    const second = other.cache.fetch("a", load);
    await until(() => other.tier.counts.followed === 1);
    const told: string[] = [];
    other.redis.subscribe("mcp:cache:things", (message) => told.push(message));
    loads[0]?.resolve(Object.assign({ name: "no JSON" }, { number: 1n }));
    expect(await first).toMatchObject({ value: { name: "no JSON" } });
    // Rather than by the end of a lease.
    await until(() => told.some((message) => message.startsWith("failed")));
    await until(() => loads.length === 2);
    loads[1]?.resolve({ name: "own" });

    expect(await second).toEqual({ value: { name: "own" }, source: "computed" });
  });

  it("forget everywhere what one of them invalidates", async () => {
    const [one, other] = [await pod(), await pod()];
    await one.cache.fetch("a", loaded("old"));
    await stored(one);
    await other.cache.fetch("a", loaded("old"));
    one.cache.invalidate("a");
    await until(() => other.cache.get("a") === undefined);

    expect(await other.cache.fetch("a", loaded("new"))).toEqual({ value: { name: "new" }, source: "computed" });
  });

  it("do not keep what was being loaded when it was invalidated, neither here nor in Redis", async () => {
    const { load, loads } = origin();
    const [one, other] = [await pod(), await pod()];
    const call = one.cache.fetch("a", load);
    await until(() => loads.length === 1);
    other.cache.invalidate("a");
    const again = other.cache.fetch("a", load);
    await until(() => loads.length === 2);
    loads[0]?.resolve({ name: "old" });
    expect(await call).toMatchObject({ value: { name: "old" } });
    loads[1]?.resolve({ name: "new" });
    expect(await again).toMatchObject({ value: { name: "new" } });

    expect(await one.cache.fetch("a", failing)).toMatchObject({ value: { name: "new" } });
  });

  it("serve what is stale in Redis at once, and load a fresh one behind it", async () => {
    const options = { ttl: 50, jitter: 0, staleWhileRevalidate: 60_000 };
    const [one, other] = [await pod(options), await pod(options)];
    await one.cache.fetch("a", loaded("old"));
    await stored(one);
    const start = performance.now();
    await until(() => performance.now() - start > 60);
    const { load, loads } = origin();

    expect(await other.cache.fetch("a", load)).toEqual({ value: { name: "old" }, source: "stale" });
    await until(() => loads.length === 1);
    loads[0]?.resolve({ name: "new" });
    // It may be fresh no more when it is looked at.
    await until(async () => (await other.cache.fetch("a", load)).value.name === "new");
  });

  it("stand in for each other with the last value that any had, also where values are never fresh", async () => {
    for (const ttl of [0, 20]) {
      const options = { ttl, staleIfError: 60_000 };
      const [one, other] = [await pod(options), await pod(options)];
      await one.cache.fetch(`a${ttl}`, loaded("last"));
      await stored(one);
      const start = performance.now();
      await until(() => performance.now() - start > 30);

      expect(await other.cache.fetch(`a${ttl}`, failing)).toEqual({ value: { name: "last" }, source: "stale" });
    }
  });

  it("never read values of another version, but hear what it invalidates", async () => {
    const [blue, green] = [await pod({ version: 1 }), await pod({ version: 2 })];
    await blue.cache.fetch("a", loaded("blue"));
    await stored(blue);
    expect(await green.cache.fetch("a", loaded("green"))).toEqual({ value: { name: "green" }, source: "computed" });
    await stored(green);
    blue.cache.invalidate("a");
    await until(() => green.cache.get("a") === undefined);
    await until(async () => (await server.admin("DBSIZE")) === 0);
  });

  it("share large values compressed, and keep to themselves what is too large even so", async () => {
    const [one, other] = [await pod(), await pod()];
    const text = "weather ".repeat(20_000);
    await one.cache.fetch("a", () => Promise.resolve({ name: "large", text }));
    await stored(one);
    expect(Number(await server.admin("HSTRLEN", "mcp:{cache:things:1:a}", "value"))).toBeLessThan(1000);
    expect(await other.cache.fetch("a", failing)).toEqual({ value: { name: "large", text }, source: "shared" });

    const huge = "x".repeat(9 * 1024 * 1024);
    await one.cache.fetch("b", () => Promise.resolve({ name: "huge", text: huge }));
    await until(() => one.tier.counts.refused === 1);
    expect(await other.cache.fetch("b", loaded("own"))).toEqual({ value: { name: "own" }, source: "computed" });
  });
});
