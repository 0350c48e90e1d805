import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "@jest/globals";
import { describeWithRedis } from "../../redis/describe.ts";
import { startRedis, startRedisCluster, type RedisServer } from "../../redis/server.ts";
import {
  admitted,
  areClosed,
  areHeldOpen,
  closePods,
  Dependency,
  fail,
  intervals,
  openPods,
  startPod,
  startPods,
  succeed,
  until,
  untilShared,
  type Pod,
  type PodOptions,
} from "./pods.ts";

const TIMEOUT = 100;

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
beforeEach(() => server.flush());
afterEach(closePods);
afterAll(() => server.close());

const areAlone = (pods: readonly Pod[]) => until(() => pods.every(({ shared }) => !shared.isShared));

/** Three pods that hold their breakers open, and soon notice that Redis is silent. */
const open = (options: PodOptions) => openPods({ redisTimeout: TIMEOUT, ...options });

/** Calls again and again until one is admitted. */
async function admittedIn({ breaker }: Pod) {
  for (;;) {
    const answer = breaker.tryAcquire();
    if (answer.admitted) return answer;
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

describeWithRedis("while Redis hangs", () => {
  it("each pod decides at once, by its own rules and with its own probes, and shares again when it answers", async () => {
    const pods = await open({ url: server.url, halfOpenLimit: 2, recoveryTimeout: 400, timeout: 2000 });
    const dependency = new Dependency({ answersAfter: 300 });
    server.pause();
    await areAlone(pods);
    await until(() => pods.every(({ breaker }) => breaker.stats.retryAfterMs === 0));
    for (const { breaker } of pods)
      for (let caller = 0; caller < 50; caller += 1) void breaker.execute(dependency.ask).catch(() => undefined);
    const probes = dependency.calls;
    await areClosed(pods);
    server.resume();
    await untilShared(...pods);

    expect(probes).toBe(2 * pods.length);
    await until(() => pods.every(({ shared }) => !shared.holdsOpen("api")));
    expect(pods.map(({ breaker }) => breaker.state)).toEqual(["closed", "closed", "closed"]);
  });

  it("a probe that is under way already is one of the pod's own", async () => {
    const [one] = await open({ url: server.url, recoveryTimeout: 100, timeout: 5000 });
    const probe = await admittedIn(one);
    server.pause();
    await areAlone([one]);
    const next = one.breaker.tryAcquire();
    probe.succeed();
    server.resume();

    expect(next).toMatchObject({ admitted: false, reason: "probing" });
    expect(one.breaker.state).toBe("closed");
  });

  it("a pod that closes by its own probes closes the others when Redis is back", async () => {
    const [one, other, blind] = await open({ url: server.url, recoveryTimeout: 200 });
    server.pause();
    await areAlone([one, other, blind]);
    (await admittedIn(one)).succeed();
    expect([one, other, blind].map(({ breaker }) => breaker.state)).toEqual(["closed", "open", "open"]);
    server.resume();
    await areClosed([one, other, blind]);
  });

  it("a pod whose own probes fail holds with the others when Redis is back", async () => {
    const pods = await open({ url: server.url, recoveryTimeout: 200 });
    server.pause();
    await areAlone(pods);
    (await admittedIn(pods[0])).fail();
    server.resume();
    await untilShared(...pods);
    expect(pods.map(({ breaker }) => breaker.state)).toEqual(["open", "open", "open"]);
    (await admittedIn(pods[1])).succeed();
    await areClosed(pods);
  });

  it("what a probe said is told once Redis is back, if nobody has probed since", async () => {
    const [one, other, blind] = await open({ url: server.url, timeout: 5000 });
    const probe = await admittedIn(one);
    server.pause();
    probe.succeed();
    await areAlone([one, other, blind]);
    server.resume();
    await areClosed([one, other, blind]);
  });

  it("no call waits or fails for five seconds of it", async () => {
    const pods = await startPods(3, { url: server.url, redisTimeout: 1000 });
    server.pause();
    let [calls, waiting] = [0, 0];
    const end = performance.now() + 5000;
    while (performance.now() < end) {
      for (const { breaker } of pods) {
        const before = performance.now();
        const answer = breaker.tryAcquire();
        calls += 1;
        if (performance.now() - before > 1) waiting += 1;
        admitted(answer).succeed();
      }
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    server.resume();
    await untilShared(...pods);

    // When the machine does something else in between, it is no wait for Redis.
    expect(waiting).toBeLessThan(calls / 100);
    fail(pods[0]);
    fail(pods[1]);
    fail(pods[2]);
    await areHeldOpen(pods);
  }, 15_000);
});

describeWithRedis("when Redis is killed and comes back empty", () => {
  it("pods are on their own, then restore what they know, and go on together", async () => {
    const own = await startRedis();
    try {
      const pods = await open({ url: own.url, recoveryTimeout: 5000 });
      const { epoch } = pods[0].shared.stats;
      await own.kill();
      await areAlone(pods);
      await own.start();
      await untilShared(...pods);

      expect(pods.map(({ breaker }) => breaker.state)).toEqual(["open", "open", "open"]);
      expect(pods.map(({ shared }) => shared.stats.epoch)).toEqual([epoch, epoch, epoch]);
      pods[2].breaker.reset();
      await areClosed(pods);
      expect(pods[0].shared.stats.epoch).toBeGreaterThan(epoch);
    } finally {
      await own.close();
    }
  });
});

describeWithRedis("when Redis is emptied", () => {
  it("breakers that pods hold open stay so, and are closed by one probe", async () => {
    const pods = await open({ url: server.url });
    await server.flush();
    await intervals(3);
    expect(pods.map(({ shared }) => shared.isShared && shared.holdsOpen("api"))).toEqual([true, true, true]);
    (await admittedIn(pods[0])).succeed();
    await areClosed(pods);
  });

  it("no probe is made beside those that are under way", async () => {
    const pods = await open({ url: server.url, timeout: 400 });
    const dependency = new Dependency({ answersAfter: 350 });
    await until(() => {
      for (const { breaker } of pods) void breaker.execute(dependency.ask).catch(() => undefined);
      return dependency.calls > 0;
    });
    await server.flush();
    await dependency.hammer(pods, {
      callers: 10,
      until: () => pods.some(({ breaker }) => breaker.state === "closed"),
    });

    expect(dependency.mostAtOnce).toBe(1);
  });

  it("closed breakers stay closed, and one broken pod that reports first does not open them", async () => {
    const [broken, ...others] = await startPods(3, { url: server.url });
    await server.flush();
    fail(broken);
    await intervals(6);

    expect(others.map(({ breaker }) => breaker.state)).toEqual(["closed", "closed"]);
  });

  it("pods that hold open what it has forgotten learn that, even where it remembers the epoch", async () => {
    const pods = await open({ url: server.url });
    await intervals(3);
    await server.admin("DEL", "mcp:{breakers:blue}:open");
    const [one] = pods;
    await until(() => one.breaker.tryAcquire().admitted);
  });

  it("its scripts are sent again", async () => {
    const pods = await startPods(3, { url: server.url });
    await server.admin("SCRIPT", "FLUSH");
    fail(pods[0]);
    fail(pods[1]);
    await areHeldOpen(pods);
  });
});

describeWithRedis("when Redis refuses", () => {
  it("for want of memory: pods are on their own until it takes their reports again", async () => {
    const pods = await open({ url: server.url, recoveryTimeout: 200 });
    await server.admin("CONFIG", "SET", "maxmemory", "1");
    await areAlone(pods);
    (await admittedIn(pods[0])).succeed();
    expect(pods[0].breaker.state).toBe("closed");
    await server.admin("CONFIG", "SET", "maxmemory", "0");
    await untilShared(...pods);
    await areClosed(pods);
  });

  it("for being a replica now: pods are on their own until there is a primary", async () => {
    const pods = await open({ url: server.url, recoveryTimeout: 200 });
    await server.admin("REPLICAOF", "127.0.0.1", "1");
    await areAlone(pods);
    (await admittedIn(pods[0])).succeed();
    await server.admin("REPLICAOF", "NO", "ONE");
    await untilShared(...pods);
    await areClosed(pods);
  });

  it("after a failover that has lost the latest: what pods know is later, and holds", async () => {
    const pods = await open({ url: server.url, recoveryTimeout: 60_000 });
    const epoch = String(await server.admin("HGET", "mcp:{breakers:blue}:meta", "epoch"));
    pods[0].breaker.reset();
    await areClosed(pods);
    await intervals(3);
    // What a replica that is behind would show: the breaker open, in the epoch before.
    await server.admin(
      "EVAL",
      STALE,
      "2",
      "mcp:{breakers:blue}:open",
      "mcp:{breakers:blue}:meta",
      record(Number(epoch)),
      epoch,
    );
    await intervals(4);

    expect(pods.map(({ breaker }) => breaker.state)).toEqual(["closed", "closed", "closed"]);
    expect(await server.admin("HLEN", "mcp:{breakers:blue}:open")).toBe(0);
  });
});

const STALE = 'redis.call("HSET", KEYS[1], "api", ARGV[1]) redis.call("HSET", KEYS[2], "epoch", ARGV[2])';

const record = (epoch: number) =>
  JSON.stringify({
    epoch,
    opened: Date.now(),
    due: Date.now() + 60_000,
    openings: 1,
    forced: false,
    by: "pod",
    successes: 0,
    hold: 150,
    probing: false,
    leases: {},
  });

describeWithRedis("a pod that probes", () => {
  /** One that is a process of its own and has a probe under way, and another, which holds its breaker open with it. */
  async function probing() {
    const child = spawn(process.execPath, [join(import.meta.dirname, "one-pod.ts"), server.url], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    children.push(child);
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const says = async () => (await lines.next()).value;
    expect(await says()).toBe("shared");
    const other = startPod({ url: server.url, timeout: 500 });
    await untilShared(other);
    await intervals(4);
    fail(other);
    child.stdin.write("go\n");
    expect(await says()).toBe("probing");
    return { child, says, other };
  }

  const children: ChildProcess[] = [];
  afterEach(() => {
    for (const child of children.splice(0)) child.kill("SIGKILL");
  });

  it("gives its lease back by its expiry when it is killed", async () => {
    const { child, other } = await probing();
    child.kill("SIGKILL");
    await once(child, "exit");
    const killedAt = performance.now();
    expect(other.breaker.tryAcquire().admitted).toBe(false);
    (await admittedIn(other)).succeed();

    expect(performance.now() - killedAt).toBeGreaterThan(300);
    await areClosed([other]);
  }, 20_000);

  it("changes nothing with what it says after it was stopped for longer than its lease, and goes on with the others", async () => {
    const { child, says, other } = await probing();
    child.kill("SIGSTOP");
    (await admittedIn(other)).fail();
    child.stdin.write("succeed\n");
    child.kill("SIGCONT");

    expect(await says()).toBe("open");
    expect(other.breaker.state).not.toBe("closed");
    (await admittedIn(other)).succeed();
    await areClosed([other]);
  }, 20_000);
});

describeWithRedis("breakers are shared", () => {
  it("by a user who may do no more than managed services allow", async () => {
    const pods = await open({ url: server.restrictedUrl });
    (await admittedIn(pods[2])).succeed();
    await areClosed(pods);
  });

  it("through a cluster", async () => {
    const cluster = await startRedisCluster();
    try {
      const pods = await open({ url: cluster.url, cluster: true, redisTimeout: 1000 });
      (await admittedIn(pods[2])).succeed();
      await areClosed(pods);
    } finally {
      await closePods();
      await cluster.close();
    }
  }, 20_000);

  it("not by one that Redis does not let in, which goes on by itself", async () => {
    const pod = startPod({ url: server.restrictedUrl.replace("secret", "wrong"), recoveryTimeout: 100 });
    succeed(pod);
    fail(pod);
    expect(pod.breaker.state).toBe("open");
    (await admittedIn(pod)).succeed();

    expect(pod.breaker.state).toBe("closed");
  });
});
