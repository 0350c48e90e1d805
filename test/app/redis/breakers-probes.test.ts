import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "@jest/globals";
import { describeWithRedis } from "../../redis/describe.ts";
import { startRedis, type RedisServer } from "../../redis/server.ts";
import {
  admitted,
  areClosed,
  areHeldOpen,
  closePods,
  Dependency,
  fail,
  isLent,
  openPods,
  startPods,
  until,
} from "./pods.ts";

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
beforeEach(() => server.flush());
afterEach(closePods);
afterAll(() => server.close());

describeWithRedis("probes", () => {
  it.each([
    { limit: 1, threshold: 1 },
    { limit: 3, threshold: 3 },
    { limit: 4, threshold: 2 },
    { limit: 2, threshold: 5 },
  ])(
    "are exactly as many as are allowed for twenty pods with fifty callers each: $limit at a time, $threshold to close",
    async ({ limit, threshold }) => {
      const options = { halfOpenLimit: limit, successThreshold: threshold, timeout: 2000 };
      const pods = await startPods(20, { url: server.url, interval: 100, redisTimeout: 5000, ...options });
      const dependency = new Dependency({ answersAfter: 100 });
      for (const pod of pods) fail(pod);
      await areHeldOpen(pods);
      await dependency.hammer(pods, {
        callers: 50,
        until: () => pods.some(({ breaker }) => breaker.state === "closed"),
      });

      expect(dependency.mostAtOnce).toBe(limit);
      expect(dependency.calls).toBe(Math.max(limit, threshold));
    },
    20_000,
  );

  it("are exactly as many in each episode of a dependency that stays down", async () => {
    const options = { halfOpenLimit: 3, timeout: 2000, random: () => 0 };
    const pods = await startPods(20, { url: server.url, interval: 100, redisTimeout: 5000, ...options });
    const dependency = new Dependency({ answersAfter: 150, isDown: true });
    for (const pod of pods) fail(pod);
    await areHeldOpen(pods);
    let episodes = 0;
    const epochs = new Set([pods[0].shared.stats.epoch]);
    const stop = pods[0].shared.changes.on((epoch) => {
      if (!epochs.has(epoch)) episodes += 1;
      epochs.add(epoch);
    });
    await dependency.hammer(pods, { callers: 50, until: () => episodes === 3 });
    stop();

    expect(dependency.mostAtOnce).toBe(3);
    expect(dependency.calls).toBe(9);
  }, 20_000);

  it("whose caller goes away are made by the next one", async () => {
    const pods = await openPods({ url: server.url });
    const [{ breaker }] = pods;
    await isLent(pods[0]);
    admitted(breaker.tryAcquire()).cancel();
    admitted(breaker.tryAcquire()).succeed();
    await areClosed(pods);
  });

  it("that a pod has no caller for go to another pod", async () => {
    const pods = await openPods({ url: server.url });
    const [one, other] = pods;
    await isLent(one);
    await until(() => {
      const answer = other.breaker.tryAcquire();
      if (answer.admitted) answer.succeed();
      return answer.admitted;
    });
    await areClosed(pods);
  });

  it("go to the others first once one has failed: its pod may be what is broken", async () => {
    const pods = await openPods({ url: server.url, interval: 200, recoveryTimeout: 200 });
    const [poisoned, other] = pods;
    await isLent(poisoned);
    fail(poisoned, 1);
    poisoned.breaker.tryAcquire();
    await until(() => other.breaker.tryAcquire().admitted);

    expect(poisoned.breaker.state).toBe("open");
  });

  it("come back from a pod that leaves", async () => {
    const pods = await openPods({ url: server.url, timeout: 60_000 });
    const [one, other] = pods;
    await isLent(one);
    await one.close();
    await until(() => other.breaker.tryAcquire().admitted);
  });

  it("come back from a pod that leaves while it asks for one", async () => {
    const pods = await openPods({ url: server.url, timeout: 60_000 });
    const [one, other] = pods;
    await until(() => one.breaker.stats.retryAfterMs === 0);
    one.breaker.tryAcquire();
    // It has asked, and is not answered yet.
    await new Promise((resolve) => setImmediate(resolve));
    await one.close();
    await until(() => other.breaker.tryAcquire().admitted);
  });
});
