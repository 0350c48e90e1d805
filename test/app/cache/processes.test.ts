import { afterEach, beforeEach, expect, it, jest } from "@jest/globals";
import { describeWithRedis } from "../../redis/describe.ts";
import { startRedis, type RedisServer } from "../../redis/server.ts";
import { until } from "./pods.ts";
import { killPodProcesses, startOrigin, startPodProcess, type Origin } from "./processes.ts";

// A busy machine may take its time.
jest.setTimeout(30_000);

let server: RedisServer;
let origin: Origin;

beforeEach(async () => {
  server = await startRedis();
  origin = await startOrigin();
});

afterEach(async () => {
  await killPodProcesses();
  await origin.close();
  await server.close();
});

describeWithRedis("caches in processes of their own", () => {
  it("ask the origin at most once each for 10,000 calls for one cold key, and once for all later", async () => {
    const pods = await Promise.all([1, 2, 3].map(() => startPodProcess({ url: server.url, timeout: 2000 })));
    const reports = Promise.all(pods.map((pod) => pod.fetch("cold", 3334, origin.url)));
    await until(() => origin.asked === 3);
    origin.answer("once");

    expect(await reports).toEqual([1, 2, 3].map(() => ({ "once computed": 3334 })));
    expect(origin.asked).toBe(3);
    const late = await startPodProcess({ url: server.url, timeout: 2000 });
    expect(await late.fetch("cold", 1, origin.url)).toEqual({ "once shared": 1 });
  });

  it("go on when one that loads is killed", async () => {
    const [lost, other] = [await startPodProcess({ url: server.url }), await startPodProcess({ url: server.url })];
    lost.fetch("cold", 1, origin.url).catch(() => undefined);
    await until(() => origin.asked === 1);
    await lost.kill();
    const report = other.fetch("cold", 100, origin.url);
    await until(() => origin.asked === 2);
    origin.answer("after all");

    expect(await report).toEqual({ "after all computed": 100 });
  });
});
