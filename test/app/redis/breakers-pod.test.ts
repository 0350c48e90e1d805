import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "@jest/globals";
import { SharedBreakerHistory } from "../../../app/src/redis/breakers-history.ts";
import { LocalBreakerHistory } from "../../../app/src/resilience/breaker-history.ts";
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

describeWithRedis("a pod", () => {
  it("holds a breaker open from the moment it is made, and those that it makes later", async () => {
    await openPods({ url: server.url, recoveryTimeout: 60_000 });
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
    // Who comes second makes the quorum.
    const vote = () => server.admin("HGET", "mcp:{breakers:blue}:pods", one.shared.pod);
    while (!String(await vote()).includes('"open"'));
    fail(other);
    await areHeldOpen(pods);
    await isLent(one);
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
    const record = {
      epoch,
      opened: Date.now(),
      due: Date.now() + 60_000,
      openings: 1,
      forced: false,
      by: "another",
      successes: 0,
    };
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
