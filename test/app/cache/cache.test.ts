import { describe, expect, it } from "@jest/globals";
import { cacheMetrics } from "../../../app/src/cache/cache-metrics.ts";
import { Cache } from "../../../app/src/cache/cache.ts";
import { Caches } from "../../../app/src/cache/caches.ts";
import { CallerCall } from "../../../app/src/resilience/call.ts";
import { Metrics } from "../../../app/src/telemetry/metrics.ts";
import { fakeTime } from "../resilience/fake-clock.ts";

const loaded =
  <V>(value: V) =>
  () =>
    Promise.resolve(value);
const failing = () => Promise.reject(new Error("the origin is down"));

describe("a cache", () => {
  it("answers at once, without a promise, while a value is fresh, and not when it is not", async () => {
    const { clock, time } = fakeTime();
    const cache = new Cache<number>({ name: "numbers", ttl: 1000, jitter: 0, time });
    expect(cache.get("a")).toBeUndefined();
    await cache.fetch("a", loaded(1));
    await clock.pass(999);
    expect(cache.get("a")).toBe(1);
    await clock.pass(1);

    expect(cache.get("a")).toBeUndefined();
  });

  it("keeps null, false, 0 and an empty string like any other value", async () => {
    const cache = new Cache<number | string | boolean | null>({ name: "falsy", ttl: 1000 });
    for (const value of [null, false, 0, ""]) {
      const key = JSON.stringify(value);
      await cache.fetch(key, loaded(value));
      expect(cache.get(key)).toBe(value);
    }
  });

  it("leaves a tenth of the time to chance, so that what was loaded together does not become old together", async () => {
    const { clock, time } = fakeTime();
    const dice = [0, 0.5, 0.999];
    const cache = new Cache<number>({ name: "numbers", ttl: 1000, time, random: () => dice.shift() ?? 0 });
    for (const key of ["a", "b", "c"]) await cache.fetch(key, loaded(1));
    const fresh = () => ["a", "b", "c"].filter((key) => cache.get(key) !== undefined);

    expect(fresh()).toEqual(["a", "b", "c"]);
    await clock.pass(901);
    expect(fresh()).toEqual(["a", "b"]);
    await clock.pass(50);
    expect(fresh()).toEqual(["a"]);
  });

  it("has room for so many bytes, forgets what was used longest ago, and counts that", async () => {
    const cache = new Cache<string>({ name: "texts", ttl: 60_000, maxBytes: 10_000 });
    const text = "x".repeat(1000);
    for (const key of ["a", "b", "c", "d"]) await cache.fetch(key, loaded(text));
    cache.get("a");
    await cache.fetch("e", loaded(text));

    expect(["a", "b", "c", "d", "e"].filter((key) => cache.get(key) !== undefined)).toEqual(["a", "c", "d", "e"]);
    expect(cache.stats).toMatchObject({ entries: 4, evictions: 1 });
    expect(cache.stats.bytes).toBeLessThan(10_000);
  });

  it("answers with a value that is larger than all the room, but does not keep it", async () => {
    const cache = new Cache<object>({ name: "large", ttl: 60_000, maxBytes: 10_000 });
    await cache.fetch("small", loaded({}));
    const large = { list: Array.from({ length: 1000 }, (_, index) => ({ index, text: "text" })) };

    expect(await cache.fetch("large", loaded(large))).toEqual({ value: large, source: "computed" });
    expect(cache.get("large")).toBeUndefined();
    expect(cache.get("small")).toEqual({});
  });

  it("answers 10,000 calls for one cold key with one load", async () => {
    const cache = new Cache<number>({ name: "numbers", ttl: 1000 });
    let loads = 0;
    const answers = await Promise.all(
      Array.from({ length: 10_000 }, () =>
        cache.fetch("a", async () => {
          loads += 1;
          await new Promise((resolve) => setImmediate(resolve));
          return loads;
        }),
      ),
    );

    expect(loads).toBe(1);
    expect(answers.every(({ value }) => value === 1)).toBe(true);
    expect(cache.stats).toMatchObject({ misses: 10_000, coalesced: 9999, loads: 1 });
  });

  it("turns what a load throws before its first await into a rejection", async () => {
    const cache = new Cache<number>({ name: "numbers", ttl: 1000 });
    const call = cache.fetch("a", () => {
      throw new Error("at once");
    });

    await expect(call).rejects.toThrow("at once");
  });

  it("answers with what goes wrong while it decides whether an error is an answer", async () => {
    const isAnswer = () => {
      throw new Error("cannot tell");
    };
    const cache = new Cache<number>({ name: "numbers", ttl: 1000, negative: { isAnswer, ttl: 1000 } });

    await expect(cache.fetch("a", failing)).rejects.toThrow("cannot tell");
  });

  it("lets a call that was cancelled before it came wait for nothing", async () => {
    const cache = new Cache<number>({ name: "numbers", ttl: 1000 });
    const signal = AbortSignal.abort(new Error("gone"));
    const call = cache.fetch("a", () => new Promise(() => undefined), new CallerCall({ signal }));

    await expect(call).rejects.toThrow("gone");
    expect(await cache.fetch("a", loaded(1))).toEqual({ value: 1, source: "computed" });
  });

  it("tells a load that it may be repeated, and how long its answer is of use", async () => {
    const { time } = fakeTime();
    const cache = new Cache<number>({ name: "numbers", ttl: 1000, timeout: 500, time });
    await cache.fetch("a", ({ repeatable, deadline }) => {
      expect(repeatable).toBe(true);
      expect(deadline).toBe(time.now() + 500);
      return Promise.resolve(1);
    });
    expect(cache.stats.errors).toBe(0);
  });
});

describe("the caches of a process", () => {
  const caches = () => new Caches({ ttl: 1000, maxBytes: 100_000, compressAbove: 1024 });

  it("have names of their own", () => {
    const all = caches();
    all.create({ name: "cities", ttl: 1 });

    expect(() => all.create({ name: "cities", ttl: 1 })).toThrow("there is a cache named 'cities' already");
  });

  it("show in the metrics what they did", async () => {
    const all = caches();
    const cities = all.create<number>({ name: "cities", ttl: 60_000, staleIfError: 1000 });
    await cities.fetch("a", loaded(1));
    cities.get("a");
    await expect(cities.fetch("b", failing)).rejects.toThrow("the origin is down");
    const metrics = new Metrics({ version: "1", color: "blue" });
    metrics.add(...cacheMetrics(all));

    const text = await metrics.text("prometheus");
    for (const line of [
      'mcp_cache_requests_total{cache="cities",outcome="hit"} 1',
      'mcp_cache_requests_total{cache="cities",outcome="miss"} 2',
      'mcp_cache_loads_total{cache="cities",outcome="success"} 1',
      'mcp_cache_loads_total{cache="cities",outcome="failure"} 1',
      'mcp_cache_entries{cache="cities"} 1',
      'mcp_cache_evictions_total{cache="cities"} 0',
    ])
      expect(text).toContain(line);
  });
});
