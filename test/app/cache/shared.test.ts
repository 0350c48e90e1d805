import { afterAll, afterEach, beforeAll, beforeEach, expect, it, jest } from "@jest/globals";
import type { Call } from "../../../app/src/resilience/call.ts";
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

  it("never read values of another version", async () => {
    const [blue, green] = [await pod({ version: 1 }), await pod({ version: 2 })];
    await blue.cache.fetch("a", loaded("blue"));
    await stored(blue);
    expect(await green.cache.fetch("a", loaded("green"))).toEqual({ value: { name: "green" }, source: "computed" });
  });

  it("share large values compressed, and keep to themselves what is too large even so", async () => {
    const [one, other] = [await pod(), await pod()];
    const text = "weather ".repeat(20_000);
    await one.cache.fetch("a", () => Promise.resolve({ name: "large", text }));
    await stored(one);
    expect(Number(await server.admin("STRLEN", "mcp:cache:things:1:a"))).toBeLessThan(1000);
    expect(await other.cache.fetch("a", failing)).toEqual({ value: { name: "large", text }, source: "shared" });

    const huge = "x".repeat(9 * 1024 * 1024);
    await one.cache.fetch("b", () => Promise.resolve({ name: "huge", text: huge }));
    await until(() => one.tier.counts.refused === 1);
    expect(await other.cache.fetch("b", loaded("own"))).toEqual({ value: { name: "own" }, source: "computed" });
  });
});
