import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "@jest/globals";
import { SharedBreakerHistory } from "../../../app/src/shared/breakers-history.ts";
import { LocalBreakerHistory } from "../../../app/src/resilience/breaker-history.ts";
import { describeWithRedis } from "../../redis/describe.ts";
import { startRedis, type RedisServer } from "../../redis/server.ts";
import {
  admitted,
  closePods,
  Dependency,
  fail,
  intervals,
  startPod,
  startPods,
  succeed,
  until,
  untilShared,
  type Pod,
} from "./pods.ts";

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
beforeEach(() => server.flush());
afterEach(closePods);
afterAll(() => server.close());

const states = (pods: readonly Pod[]) => pods.map(({ breaker }) => breaker.state);
const areHeldOpen = (pods: readonly Pod[]) => until(() => pods.every(({ shared }) => shared.holdsOpen("api")));
const areClosed = (pods: readonly Pod[]) => until(() => pods.every(({ breaker }) => breaker.state === "closed"));

describeWithRedis("breakers of several pods", () => {
  it("open everywhere once most pods that have calls have opened theirs, also where there were none", async () => {
    const pods = await startPods(3, { url: server.url });
    const [one, other] = pods;
    fail(one);
    fail(other);
    await areHeldOpen(pods);

    expect(states(pods)).toEqual(["open", "open", "open"]);
  });

  it("do not open for one pod that fails while others succeed; it is open by itself, and finds its own way back", async () => {
    const [poisoned, ...others] = await startPods(3, { url: server.url });
    others.forEach(succeed);
    await intervals(2);
    fail(poisoned);
    await intervals(6);
    expect(states([poisoned, ...others])).toEqual(["open", "closed", "closed"]);
    await until(() => poisoned.breaker.tryAcquire().admitted);

    expect([poisoned.breaker.state, poisoned.shared.holdsOpen("api")]).toEqual(["half-open", false]);
  });

  it("do not open for one pod that fails while others have no calls", async () => {
    const pods = await startPods(3, { url: server.url });
    fail(pods[0]);
    await intervals(6);

    expect(states(pods)).toEqual(["open", "closed", "closed"]);
  });

  it("are apart for the other color: a version that fails there opens nothing here", async () => {
    const live = await startPods(3, { url: server.url });
    const idle = await startPods(3, { url: server.url, group: "green" });
    idle.forEach((pod) => {
      fail(pod);
    });
    await areHeldOpen(idle);
    await intervals(2);

    expect(new Set(states(live))).toEqual(new Set(["closed"]));
  });

  it("do not open for a minority, and do once others that failed with it stop succeeding", async () => {
    const pods = await startPods(5, { url: server.url });
    pods.forEach(succeed);
    await intervals(2);
    fail(pods[0]);
    fail(pods[1]);
    expect(states(pods)).toEqual(["open", "open", "closed", "closed", "closed"]);
    // No voice against it: with one more call each would have opened.
    for (const pod of pods.slice(2)) fail(pod, 2);
    await areHeldOpen(pods);
  });

  it("are its own for a pod that is alone: what it finds may be its own fault", async () => {
    const pod = startPod({ url: server.url });
    await untilShared(pod);
    fail(pod);
    await intervals(6);

    expect([pod.breaker.state, pod.shared.holdsOpen("api")]).toEqual(["open", false]);
  });

  it("close everywhere once a leased probe has succeeded on one of them", async () => {
    const pods = await startPods(3, { url: server.url });
    const [one, other, blind] = pods;
    fail(one);
    fail(other);
    await areHeldOpen(pods);
    expect(blind.breaker.tryAcquire().admitted).toBe(false);
    await until(() => blind.breaker.state === "half-open");
    expect(states([one, other])).toEqual(["open", "open"]);
    succeed(blind);
    await areClosed(pods);
  });

  it("open again everywhere, for longer, when a leased probe fails", async () => {
    const pods = await startPods(3, { url: server.url, random: () => 0 });
    const [one, other, blind] = pods;
    fail(one);
    fail(other);
    await areHeldOpen(pods);
    const before = one.shared.stats.epoch;
    one.breaker.tryAcquire();
    await until(() => one.breaker.state === "half-open");
    fail(one, 1);
    await until(() => pods.every(({ shared }) => shared.stats.epoch > before));

    expect(states(pods)).toEqual(["open", "open", "open"]);
    expect(blind.breaker.stats.retryAfterMs).toBeGreaterThan(400);
    expect(blind.breaker.stats.retryAfterMs).toBeLessThanOrEqual(600);
  });

  it("turn every call away at once while they are held open, and never wait for a lease", async () => {
    const pods = await startPods(3, { url: server.url });
    fail(pods[0]);
    fail(pods[1]);
    await areHeldOpen(pods);
    const [{ breaker }] = pods;
    await until(() => breaker.stats.retryAfterMs === 0);

    expect(breaker.tryAcquire()).toMatchObject({ admitted: false, reason: "open" });
    await expect(breaker.execute(() => Promise.resolve())).rejects.toThrow("api: the circuit breaker is open");
  });
});

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
      const pods = await startPods(20, { url: server.url, interval: 100, ...options });
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
    const pods = await startPods(20, { url: server.url, interval: 100, ...options });
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
    const pods = await startPods(3, { url: server.url });
    fail(pods[0]);
    fail(pods[1]);
    await areHeldOpen(pods);
    const [{ breaker }] = pods;
    breaker.tryAcquire();
    await until(() => breaker.state === "half-open");
    admitted(breaker.tryAcquire()).cancel();
    admitted(breaker.tryAcquire()).succeed();
    await areClosed(pods);
  });

  it("that a pod has no caller for go to another pod", async () => {
    const pods = await startPods(3, { url: server.url });
    const [one, other] = pods;
    fail(one);
    fail(other);
    await areHeldOpen(pods);
    one.breaker.tryAcquire();
    await until(() => one.breaker.state === "half-open");
    await until(() => {
      const answer = other.breaker.tryAcquire();
      if (answer.admitted) answer.succeed();
      return answer.admitted;
    });
    await areClosed(pods);
  });

  it("go to the others first once one has failed: its pod may be what is broken", async () => {
    const pods = await startPods(3, { url: server.url, interval: 200, recoveryTimeout: 200 });
    const [poisoned, other] = pods;
    fail(poisoned);
    fail(other);
    await areHeldOpen(pods);
    poisoned.breaker.tryAcquire();
    await until(() => poisoned.breaker.state === "half-open");
    fail(poisoned, 1);
    poisoned.breaker.tryAcquire();
    await until(() => other.breaker.tryAcquire().admitted);

    expect(poisoned.breaker.state).toBe("open");
  });

  it("come back from a pod that leaves", async () => {
    const pods = await startPods(3, { url: server.url, timeout: 60_000 });
    const [one, other] = pods;
    fail(one);
    fail(other);
    await areHeldOpen(pods);
    one.breaker.tryAcquire();
    await until(() => one.breaker.state === "half-open");
    await one.close();
    await until(() => other.breaker.tryAcquire().admitted);
  });
});

describeWithRedis("by hand", () => {
  it("a breaker is opened for all pods, for good, and reset for all", async () => {
    const pods = await startPods(3, { url: server.url });
    pods[0].breaker.forceOpen();
    await areHeldOpen(pods);
    expect(pods.map(({ breaker }) => breaker.stats.forced)).toEqual([true, true, true]);
    await intervals(8);
    expect(pods.map(({ breaker }) => breaker.tryAcquire().admitted)).toEqual([false, false, false]);
    pods[2].breaker.reset();
    await areClosed(pods);

    expect(pods.map(({ breaker }) => breaker.stats.forced)).toEqual([false, false, false]);
  });

  it("a breaker that pods hold open is reset for all", async () => {
    const pods = await startPods(3, { url: server.url, recoveryTimeout: 60_000 });
    fail(pods[0]);
    fail(pods[1]);
    await areHeldOpen(pods);
    pods[0].breaker.reset();
    expect(pods[0].breaker.state).toBe("closed");
    await areClosed(pods);
  });
});

describeWithRedis("a pod", () => {
  it("holds a breaker open from the moment it is made, and those that it makes later", async () => {
    const pods = await startPods(3, { url: server.url, recoveryTimeout: 60_000 });
    fail(pods[0]);
    fail(pods[1]);
    await areHeldOpen(pods);
    const late = startPod({ url: server.url, name: "another" });
    await untilShared(late);

    expect(late.breakers.create({ name: "api", failureThreshold: 1, recoveryTimeout: 1000 }).state).toBe("open");
    expect(late.breaker.state).toBe("closed");
  });

  it("keeps to itself what it has said is its own", async () => {
    const pods = await startPods(3, { url: server.url, local: true });
    fail(pods[0]);
    fail(pods[1]);
    await intervals(4);

    expect(states(pods)).toEqual(["open", "open", "closed"]);
  });

  it("shows what pods did together, with the pod and the epoch, and what it did by itself", async () => {
    const pods = await startPods(3, { url: server.url });
    const [one, other, watching] = pods;
    const history = new SharedBreakerHistory(
      watching.shared,
      watching.redis,
      new LocalBreakerHistory(watching.breakers),
    );
    fail(one);
    fail(other);
    await areHeldOpen(pods);
    one.breaker.tryAcquire();
    await until(() => one.breaker.state === "half-open");
    succeed(one);
    await areClosed(pods);
    await until(() => history.entries.length === 3);
    fail(watching);

    expect(history.entries.map(({ from, to, reason, pod }) => [from, to, reason, pod])).toEqual([
      ["closed", "open", "quorum", other.shared.pod],
      ["open", "half-open", "recovery-time", one.shared.pod],
      ["half-open", "closed", "probes-succeeded", one.shared.pod],
      ["closed", "open", "failures", watching.shared.pod],
    ]);
    const [opened, , closed] = history.entries;
    expect(closed?.epoch).toBeGreaterThan(opened?.epoch ?? Infinity);
  });

  it("is not moved by a message that comes late or twice, or that is none", async () => {
    const pods = await startPods(3, { url: server.url, recoveryTimeout: 60_000 });
    const heard: string[] = [];
    pods[2].redis.subscribe("mcp:breakers:blue", (message) => heard.push(message));
    fail(pods[0]);
    fail(pods[1]);
    await areHeldOpen(pods);
    pods[0].breaker.reset();
    await areClosed(pods);
    await until(() => heard.length === 2);
    for (const message of [...heard, "nonsense", '{"name":"api","epoch":"later","open":true}'])
      await server.admin("PUBLISH", "mcp:breakers:blue", message);
    await until(() => heard.length === 6);

    expect(states(pods)).toEqual(["closed", "closed", "closed"]);
  });

  it("that is gone leaves nothing behind, once another has come", async () => {
    const gone = startPod({ url: server.url });
    await untilShared(gone);
    await gone.redis.close();
    await intervals(4);
    expect(await server.admin("HLEN", "mcp:{breakers:blue}:pods")).toBe(1);
    const next = startPod({ url: server.url });
    await untilShared(next);

    expect(await server.admin("HKEYS", "mcp:{breakers:blue}:pods")).toEqual([next.shared.pod]);
  });

  it("learns with its next report what it did not hear", async () => {
    const pods = await startPods(3, { url: server.url, recoveryTimeout: 60_000 });
    // As if nothing published came through: the record is there, and no message.
    const epoch = Date.now() + 1000;
    const record = { epoch, due: Date.now() + 60_000, openings: 1, forced: false, by: "another", successes: 0 };
    await server.admin(
      "EVAL",
      'redis.call("HSET", KEYS[1], "epoch", ARGV[1]) redis.call("HSET", KEYS[2], "api", ARGV[2])',
      "2",
      "mcp:{breakers:blue}:meta",
      "mcp:{breakers:blue}:open",
      String(epoch),
      JSON.stringify({ ...record, hold: 150, probing: false, leases: {} }),
    );
    await areHeldOpen(pods);

    expect(states(pods)).toEqual(["open", "open", "open"]);
  });
});
