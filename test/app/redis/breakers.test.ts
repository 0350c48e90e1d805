import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "@jest/globals";
import { describeWithRedis } from "../../redis/describe.ts";
import { startRedis, type RedisServer } from "../../redis/server.ts";
import {
  areClosed,
  areHeldOpen,
  closePods,
  fail,
  intervals,
  isLent,
  openPods,
  startPod,
  startPods,
  states,
  succeed,
  until,
  untilShared,
} from "./pods.ts";

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
beforeEach(() => server.flush());
afterEach(closePods);
afterAll(() => server.close());

describeWithRedis("breakers of several pods", () => {
  it("open everywhere once most pods that have calls have opened theirs, also where there were none", async () => {
    const pods = await openPods({ url: server.url });

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
    const pods = await openPods({ url: server.url });
    const [one, other, blind] = pods;
    expect(blind.breaker.tryAcquire().admitted).toBe(false);
    await until(() => blind.breaker.state === "half-open");
    expect(states([one, other])).toEqual(["open", "open"]);
    succeed(blind);
    await areClosed(pods);
  });

  it("open again everywhere, for longer, when a leased probe fails", async () => {
    const pods = await openPods({ url: server.url, random: () => 0 });
    const [one, , blind] = pods;
    const before = one.shared.stats.epoch;
    await isLent(one);
    fail(one, 1);
    await until(() => pods.every(({ shared }) => shared.stats.epoch > before));

    expect(states(pods)).toEqual(["open", "open", "open"]);
    expect(blind.breaker.stats.retryAfterMs).toBeGreaterThan(400);
    expect(blind.breaker.stats.retryAfterMs).toBeLessThanOrEqual(600);
  });

  it("turn every call away at once while they are held open, and never wait for a lease", async () => {
    const pods = await openPods({ url: server.url });
    const [{ breaker }] = pods;
    await until(() => breaker.stats.retryAfterMs === 0);

    expect(breaker.tryAcquire()).toMatchObject({ admitted: false, reason: "open" });
    await expect(breaker.execute(() => Promise.resolve())).rejects.toThrow("api: the circuit breaker is open");
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
    const pods = await openPods({ url: server.url, recoveryTimeout: 60_000 });
    pods[0].breaker.reset();
    expect(pods[0].breaker.state).toBe("closed");
    await areClosed(pods);
  });
});
