import { afterAll, afterEach, beforeAll, expect, it } from "@jest/globals";
import { RateLimiter } from "../../../app/src/resilience/rate-limiter.ts";
import { shareRateLimit } from "../../../app/src/redis/rate-limit.ts";
import { describeWithRedis } from "../../redis/describe.ts";
import { startRedis, startRedisCluster, type RedisServer } from "../../redis/server.ts";
import { closeConnections, connect, connected, next } from "./redis-connections.ts";

const ends: (() => void)[] = [];

/** One pod's limiter. One call a minute after the burst, so that no time that passes matters. */
function limiterOn(redis: Parameters<typeof shareRateLimit>[1], name = "shared"): RateLimiter {
  const limiter = new RateLimiter({ name, rate: 1 / 60, burst: 5 });
  ends.push(shareRateLimit(limiter, redis));
  return limiter;
}

/** Resolves once a pod has learned that a client may not call any more; fails the test by its timeout if it never does. */
async function learned(limiter: RateLimiter, client: string): Promise<void> {
  while (limiter.untilFull(client) < limiter.capacity - limiter.interval / 2)
    await new Promise((resolve) => setTimeout(resolve, 2));
}

afterEach(async () => {
  for (const end of ends.splice(0)) end();
  await closeConnections();
});

describeWithRedis("a rate that pods share", () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(() => server.close());

  /** Waits until a limiter's calls have been told to Redis; all that it then holds. */
  async function reported(name: string): Promise<unknown> {
    for (;;) {
      const keys = await server.admin("KEYS", "*");
      if (JSON.stringify(keys).includes(`rate:${name}`)) return keys;
    }
  }

  it("turns a client away on a pod that it has never called, when it has used its rate up on another", async () => {
    const one = limiterOn(await connected(server.restrictedUrl));
    const other = limiterOn(await connected(server.restrictedUrl));
    for (let call = 0; call < 4; call += 1) expect(other.tryAcquire("alice").admitted).toBe(true);
    await reported("shared");
    expect(one.tryAcquire("alice").admitted).toBe(true);
    await learned(one, "alice");

    expect(one.tryAcquire("alice")).toMatchObject({ admitted: false, reason: "rate" });
    expect(one.tryAcquire("bob").admitted).toBe(true);
  });

  it("decides at once, whatever Redis does", async () => {
    const redis = await connected(server.url);
    const limiter = limiterOn(redis, "at-once");
    server.pause();
    try {
      // Values, not promises: there is nothing that could wait.
      const decisions = [1, 2, 3, 4, 5, 6].map(() => limiter.tryAcquire("alice").admitted);
      expect(decisions).toEqual([true, true, true, true, true, false]);
      await next(redis, "down");
    } finally {
      server.resume();
    }
  });

  it("holds each pod to the rate on its own while Redis is away, and shares again when it is back", async () => {
    const connections = [await connected(server.url), await connected(server.url)] as const;
    const [one, other] = [limiterOn(connections[0], "back"), limiterOn(connections[1], "back")];
    const down = Promise.all(connections.map((redis) => next(redis, "down")));
    await server.kill();
    await down;
    const burst = [1, 2, 3, 4, 5, 6].map(() => [one.tryAcquire("alice").admitted, other.tryAcquire("alice").admitted]);
    expect(burst.flat().filter(Boolean)).toHaveLength(10);
    const up = Promise.all(connections.map((redis) => next(redis, "up")));
    await server.start();
    await up;
    for (let call = 0; call < 5; call += 1) one.tryAcquire("carol");
    await reported("back");
    other.tryAcquire("carol");
    await learned(other, "carol");

    expect(other.tryAcquire("carol").admitted).toBe(false);
  });

  it("turns nobody away for calls that it could not tell while Redis refused, once it takes reports again", async () => {
    const limiter = new RateLimiter({ name: "refused", rate: 50, burst: 5 });
    ends.push(shareRateLimit(limiter, await connected(server.url)));
    const call = async () => {
      const { admitted } = limiter.tryAcquire("alice");
      await new Promise((resolve) => setTimeout(resolve, 2 * limiter.interval));
      return admitted;
    };
    await server.admin("CONFIG", "SET", "maxmemory", "1");
    for (let calls = 0; calls < 20; calls += 1) expect(await call()).toBe(true);
    await server.admin("CONFIG", "SET", "maxmemory", "0");
    const told: unknown[] = [];
    const telling = reported("refused").then((keys) => told.push(keys));
    while (told.length === 0) expect(await call()).toBe(true);
    for (let calls = 0; calls < 5; calls += 1) expect(await call()).toBe(true);
    await telling;
  });

  it("says nobody's name to Redis", async () => {
    const limiter = limiterOn(await connected(server.url), "names");
    limiter.tryAcquire("alice@example.com");
    const keys = await reported("names");

    expect(JSON.stringify(keys)).not.toContain("alice");
  });

  it("makes a client that overdrew at several pods at once wait for two bursts at the most", async () => {
    const connection = await connected(server.url);
    const pods = Array.from({ length: 8 }, () => limiterOn(connection, "overdrawn"));
    for (const pod of pods) for (let call = 0; call < 5; call += 1) pod.tryAcquire("mallory");
    await Promise.all(pods.map((pod) => learned(pod, "mallory")));

    for (const pod of pods) expect(pod.untilFull("mallory")).toBeLessThanOrEqual(2 * pod.capacity);
  });
});

describeWithRedis("a rate that pods share through a cluster", () => {
  it("is one rate", async () => {
    const cluster = await startRedisCluster();
    try {
      const [one, other] = [connect(cluster.url, { cluster: true }), connect(cluster.url, { cluster: true })] as const;
      await Promise.all([next(one, "up"), next(other, "up")]);
      const limiters = [limiterOn(one), limiterOn(other)] as const;
      for (let call = 0; call < 5; call += 1) limiters[0].tryAcquire("alice");
      let admitted = 0;
      while (limiters[1].tryAcquire("alice").admitted) {
        admitted += 1;
        // Each call is told to Redis, and what comes back is what the other pod has let through, once it has told that.
        await new Promise((resolve) => setTimeout(resolve, 30));
      }

      expect(admitted).toBeLessThan(5);
    } finally {
      await closeConnections();
      await cluster.close();
    }
  }, 20_000);
});
