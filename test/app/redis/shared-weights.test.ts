import { afterAll, afterEach, beforeAll, expect, it } from "@jest/globals";
import { SharedWeights, type Weight } from "../../../app/src/redis/shared-weights.ts";
import { describeWithRedis } from "../../redis/describe.ts";
import { startRedis, type RedisServer } from "../../redis/server.ts";
import { closeConnections, connected } from "./redis-connections.ts";

afterEach(closeConnections);

describeWithRedis("weights of endpoints", () => {
  let server: RedisServer;

  beforeAll(async () => {
    server = await startRedis();
  });

  afterAll(() => server.close());

  /** A pod, and the first weight that it applies. */
  async function pod() {
    const redis = await connected(server.restrictedUrl);
    const { promise, resolve } = Promise.withResolvers<Weight>();
    const weights = new SharedWeights({ redis, group: "blue:1", apply: resolve });
    // Answered only after the subscription, which was sent before.
    await redis.command(["PING"]);
    return { redis, weights, applied: promise };
  }

  it("reach the pods that are there, and those that connect later", async () => {
    const [one, other] = [await pod(), await pod()];
    const weight = { pool: "search", endpoint: "https://a.example", weight: 0 };
    expect(await one.weights.set(weight)).toBe(true);
    expect(await other.applied).toEqual(weight);

    const late = await pod();
    late.redis.events.emit({ type: "up" });
    expect(await late.applied).toEqual(weight);
  });

  it("are this pod's alone while Redis is away", async () => {
    const { redis, weights, applied } = await pod();
    await redis.close();
    const weight = { pool: "search", endpoint: "https://a.example", weight: 5 };

    expect(await weights.set(weight)).toBe(false);
    expect(await applied).toEqual(weight);
  });
});
