import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { afterEach, beforeAll, afterAll, describe, expect, it } from "@jest/globals";
import { RedisUnavailable, type Redis } from "../../../app/src/redis/redis.ts";
import { script } from "../../../app/src/redis/script.ts";
import { describeWithRedis } from "../../redis/describe.ts";
import { startRedis, startRedisCluster, type RedisServer } from "../../redis/server.ts";
import { closeConnections, connect, connected, next } from "./redis-connections.ts";

const ADD = script(`
  -- KEYS[1] a counter; ARGV[1] what to add. Returns the sum.
  return redis.call("INCRBY", KEYS[1], ARGV[1])
`);

/** Keys in slots 866 and 9059. */
const [IN_FIRST, IN_SECOND] = ["mcp:{hello}", "mcp:{world}"];

afterEach(closeConnections);

describe("a connection to a Redis that is not there", () => {
  it("is made at once, and rejects commands at once", async () => {
    const redis = connect("redis://127.0.0.1:1");

    expect(redis.available).toBe(false);
    await expect(redis.command(["GET", "mcp:a"])).rejects.toThrow(RedisUnavailable);
  });

  it("never says the password", async () => {
    const redis = connect("redis://user:hunter2@127.0.0.1:1");
    await new Promise((resolve) => setTimeout(resolve, 50));

    await expect(redis.command(["GET", "mcp:a"])).rejects.toThrow(/^((?!hunter2).)*ECONNREFUSED((?!hunter2).)*$/s);
  });

  it("gives a server that takes connections and says nothing up for a new connection", async () => {
    const sockets: Socket[] = [];
    const silent = createServer((socket) => sockets.push(socket.on("error", () => undefined))).listen(0, "127.0.0.1");
    await once(silent, "listening");
    const address = silent.address();
    const redis = connect(`redis://127.0.0.1:${typeof address === "object" ? address?.port : 0}`, { timeout: 20 });
    await once(silent, "connection");
    await once(silent, "connection");
    await redis.close();
    silent.close();
    for (const socket of sockets) socket.destroy();

    expect(sockets.length).toBeGreaterThanOrEqual(2);
  });
});

describeWithRedis("a connection to Redis", () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(() => server.close());

  it("sends commands, runs scripts that Redis has never seen, and gives back bytes where they are asked for", async () => {
    const redis = await connected(server.url);
    await redis.command(["SET", "mcp:bytes", Buffer.from([0, 255])]);

    expect(await redis.command(["GET", "mcp:bytes"], { binary: true })).toEqual(Buffer.from([0, 255]));
    expect(await redis.run(ADD, ["mcp:{n}"], [2])).toBe(2);
    await redis.command(["SCRIPT", "FLUSH"]);
    expect(await redis.run(ADD, ["mcp:{n}"], [3])).toBe(5);
  });

  it("passes on what Redis says against a command, and stays up", async () => {
    const redis = await connected(server.url);

    await expect(redis.command(["INCR", "mcp:bytes"])).rejects.toThrow("not an integer");
    expect(redis.available).toBe(true);
  });

  it("fails a command after its timeout while Redis hangs, others at once, and is up again with the late answer", async () => {
    const redis = await connected(server.url, { timeout: 100 });
    server.pause();
    const down = next(redis, "down");
    await expect(redis.command(["GET", "mcp:a"])).rejects.toThrow("did not answer within 100 ms");
    await down;
    const turn = new Promise((resolve) => setImmediate(resolve));
    const rejected = redis.command(["GET", "mcp:a"]).catch((error: unknown) => error);
    expect(await Promise.race([rejected, turn])).toBeInstanceOf(RedisUnavailable);
    const up = next(redis, "up");
    server.resume();
    await up;

    expect(await redis.command(["GET", "mcp:a"])).toBeNull();
  });

  it("takes an answer that was there in time for one, however late this process comes to read it", async () => {
    const redis = await connected(server.url, { timeout: 100 });
    server.pause();
    const answer = redis.command(["GET", "mcp:a"]);
    await new Promise((resolve) => setTimeout(resolve, 20));
    server.resume();
    // Before timers have their turn, and sockets after them.
    await new Promise((resolve) => setImmediate(resolve));
    const heldUpUntil = performance.now() + 200;
    while (performance.now() < heldUpUntil);

    expect(await answer).toBeNull();
    expect(redis.available).toBe(true);
  });

  it("hears what is published, also after Redis was killed and started again", async () => {
    const [redis, other] = [await connected(server.url), await connected(server.url)];
    const heard: string[] = [];
    let notify: () => void = () => undefined;
    redis.subscribe("mcp:news", (message) => {
      heard.push(message);
      notify();
    });
    const hear = () => new Promise<void>((resolve) => (notify = resolve));
    await redis.command(["PING"]);
    await Promise.all([hear(), other.publish("mcp:news", "one")]);
    const down = Promise.all([next(redis, "down"), next(other, "down")]);
    await server.kill();
    await down;
    const up = Promise.all([next(redis, "up"), next(other, "up")]);
    await server.start();
    await up;
    await redis.command(["PING"]);
    await Promise.all([hear(), other.publish("mcp:news", "two")]);

    expect(heard).toEqual(["one", "two"]);
  });

  it("hears nothing more once nobody listens", async () => {
    const redis = await connected(server.url);
    const heard: string[] = [];
    const stop = redis.subscribe("mcp:news", (message) => heard.push(message));
    await redis.command(["PING"]);
    stop();
    await redis.command(["PING"]);

    expect(await redis.publish("mcp:news", "to nobody")).toBe(0);
    expect(heard).toEqual([]);
  });

  it("looks for the new primary when its server has become a replica", async () => {
    const redis = await connected(server.url, { timeout: 20 });
    await server.admin("REPLICAOF", "127.0.0.1", "1");
    const down = next(redis, "down");
    while (redis.available) {
      await redis.command(["SET", "mcp:a", "1"]).catch(() => undefined);
    }
    const up = next(redis, "up");
    expect(await down).toMatchObject({ reason: "it has become a replica" });
    await server.admin("REPLICAOF", "NO", "ONE");
    await up;

    expect(await redis.command(["SET", "mcp:a", "1"])).toBe("OK");
  });

  it("needs none of the commands that managed services refuse", async () => {
    const redis = await connected(server.restrictedUrl);

    expect(await redis.run(ADD, ["mcp:{m}"], [1])).toBe(1);
    await expect(redis.command(["CONFIG", "GET", "*"])).rejects.toThrow("NOPERM");
    await expect(redis.command(["GET", "another's"])).rejects.toThrow("NOPERM");
  });
});

/** Says it again until there is an answer: on a busy machine a cluster that has just failed over may be late once more. */
async function answered(redis: Redis, command: readonly string[]): Promise<void> {
  while ((await redis.command(command).catch(() => undefined)) === undefined)
    await new Promise((resolve) => setTimeout(resolve, 20));
}

describeWithRedis("a connection to a cluster", () => {
  it("reaches every node, runs scripts where their keys are, and hears what any node is told", async () => {
    const cluster = await startRedisCluster();
    try {
      const redis = await connected(cluster.url, { cluster: true, timeout: 1000 });
      for (const tag of ["a", "b", "c", "d", "e"]) expect(await redis.run(ADD, [`mcp:{${tag}}`], [1])).toBe(1);
      const other = await connected(cluster.nodes[2]?.url ?? "", { cluster: true, timeout: 1000 });
      let said = 0;
      const heard = new Promise<string>((resolve) => {
        redis.subscribe("mcp:news", resolve);
      });
      // A cluster tells nobody when it has begun to listen.
      const saying = setInterval(() => {
        said += 1;
        other.publish("mcp:news", "hello").catch(() => undefined);
      }, 20);
      expect(await heard).toBe("hello");
      clearInterval(saying);
      expect(said).toBeGreaterThan(0);
    } finally {
      await cluster.close();
    }
  }, 20_000);

  it("is down while one node hangs, and goes to the replica that takes over, also without the node that it was told of", async () => {
    const cluster = await startRedisCluster({ withReplica: true });
    try {
      const [first] = cluster.nodes;
      const redis = await connected(cluster.url, { cluster: true, timeout: 200 });
      const heard: string[] = [];
      redis.subscribe("mcp:news", (message) => heard.push(message));
      first?.pause();
      const down = next(redis, "down");
      const up = down.then(() => next(redis, "up"));
      await expect(redis.command(["GET", IN_FIRST])).rejects.toThrow(RedisUnavailable);
      expect(await down).toMatchObject({ reason: "no answer within 200 ms" });
      await expect(redis.command(["GET", IN_SECOND])).rejects.toThrow(RedisUnavailable);
      await up;
      await answered(redis, ["SET", IN_FIRST, "1"]);
      while (heard.length === 0) await answered(redis, ["PUBLISH", "mcp:news", "hello"]);
    } finally {
      await cluster.close();
    }
  }, 30_000);

  it("is down once its nodes are gone, and up when they are back", async () => {
    const cluster = await startRedisCluster();
    try {
      const redis = await connected(cluster.url, { cluster: true, timeout: 200 });
      const down = next(redis, "down");
      await Promise.all(cluster.nodes.map((node) => node.kill()));
      await redis.command(["GET", IN_FIRST]).catch(() => undefined);
      await down;
      const up = next(redis, "up");
      await Promise.all(cluster.nodes.map((node) => node.start()));
      await up;
    } finally {
      await cluster.close();
    }
  }, 20_000);
});
