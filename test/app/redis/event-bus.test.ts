import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import type { ServerEvent } from "@modelcontextprotocol/server";
import { EventBus } from "../../../app/src/redis/event-bus.ts";
import { describeWithRedis } from "../../redis/describe.ts";
import { startRedis, type RedisServer } from "../../redis/server.ts";
import { closeConnections, connected, next } from "./redis-connections.ts";

afterEach(closeConnections);

/** What a pod's clients hear, and a way to wait for the next of it. */
function clientsOf(bus: EventBus) {
  const heard: ServerEvent[] = [];
  let wake: () => void = () => undefined;
  bus.subscribe((event) => {
    heard.push(event);
    wake();
  });
  return {
    heard,
    async count(atLeast: number) {
      while (heard.length < atLeast) await new Promise<void>((resolve) => (wake = resolve));
    },
  };
}

describe("the event bus of a pod on its own", () => {
  it("tells the pod's clients", () => {
    const bus = new EventBus();
    const { heard } = clientsOf(bus);
    bus.publish({ kind: "tools_list_changed" });

    expect(heard).toEqual([{ kind: "tools_list_changed" }]);
  });
});

describeWithRedis("the event bus of pods that share", () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(() => server.close());

  async function pods() {
    const connections = [await connected(server.restrictedUrl), await connected(server.restrictedUrl)] as const;
    const buses = [new EventBus(connections[0]), new EventBus(connections[1])] as const;
    // Answered only after the subscriptions, which were sent before.
    await Promise.all(connections.map((redis) => redis.command(["PING"])));
    return { connections, buses, clients: [clientsOf(buses[0]), clientsOf(buses[1])] as const };
  }

  it("tells the clients of every pod once, those of the same pod at once", async () => {
    const { buses, clients } = await pods();
    buses[0].publish({ kind: "resource_updated", uri: "a://b" });
    expect(clients[0].heard).toHaveLength(1);
    await clients[1].count(1);
    buses[1].publish({ kind: "tools_list_changed" });
    await clients[0].count(2);

    const both = [{ kind: "resource_updated", uri: "a://b" }, { kind: "tools_list_changed" }];
    expect(clients.map(({ heard }) => heard)).toEqual([both, both]);
  });

  it("keeps what every pod notices by itself within the pod", async () => {
    const { buses, clients } = await pods();
    buses[0].publishHere({ kind: "resource_updated", uri: "a://b" });
    buses[0].publish({ kind: "tools_list_changed" });
    await clients[1].count(1);

    expect(clients[1].heard).toEqual([{ kind: "tools_list_changed" }]);
  });

  it("ignores what no pod would say", async () => {
    const { connections, buses, clients } = await pods();
    const nonsense = ["", "{", "null", '{"from":"x","event":{"kind":"nonsense"}}', `"${"x".repeat(100_000)}"`];
    for (const message of nonsense) await connections[0].publish("mcp:events", message);
    buses[0].publish({ kind: "prompts_list_changed" });
    await clients[1].count(1);

    expect(clients[1].heard).toEqual([{ kind: "prompts_list_changed" }]);
  });

  it("goes on within each pod while Redis is away, and then says that lists may have changed", async () => {
    const { connections, buses, clients } = await pods();
    const down = Promise.all(connections.map((redis) => next(redis, "down")));
    await server.kill();
    await down;
    buses[0].publish({ kind: "tools_list_changed" });
    expect(clients.map(({ heard }) => heard.length)).toEqual([1, 0]);
    await server.start();
    await clients[1].count(3);

    expect(clients[1].heard.map(({ kind }) => kind)).toEqual([
      "tools_list_changed",
      "prompts_list_changed",
      "resources_list_changed",
    ]);
  });
});
