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
  it("ask the origin once for 10,000 calls to three of them for one cold key", async () => {
    const pods = await Promise.all([1, 2, 3].map(() => startPodProcess({ url: server.url, timeout: 2000 })));
    const reports = Promise.all(pods.map((pod) => pod.fetch("cold", 3334, origin.url)));
    await until(() => origin.asked > 0);
    // Followers wait as long as it takes.
    await new Promise((resolve) => setTimeout(resolve, 300));
    origin.answer("once");

    const counts = (await reports).map((report) => Object.entries(report));
    expect(counts.flat().sort()).toEqual([
      ["once computed", 3334],
      ["once shared", 3334],
      ["once shared", 3334],
    ]);
    expect(origin.asked).toBe(1);
  });

  it("go on when the one that loads is killed: another takes its place within seconds", async () => {
    const leader = await startPodProcess({ url: server.url });
    const followers = await Promise.all([1, 2].map(() => startPodProcess({ url: server.url })));
    const lost = leader.fetch("cold", 1, origin.url);
    lost.catch(() => undefined);
    await until(() => origin.asked === 1);
    const reports = Promise.all(followers.map((pod) => pod.fetch("cold", 100, origin.url)));
    // Who loads has shown that it is at work, so that its lease is a long one.
    const isAtWork = async () => Number(await server.admin("PTTL", "mcp:{cache:things:1:cold}:lease")) > 1500;
    await until(isAtWork);
    const killedAt = performance.now();
    await leader.kill();
    await until(() => origin.asked === 2);
    expect(performance.now() - killedAt).toBeLessThan(8000);
    await until(isAtWork);
    origin.answer("after all");

    const answered = (await reports).flatMap((report) => Object.entries(report));
    expect(answered.sort()).toEqual([
      ["after all computed", 100],
      ["after all shared", 100],
    ]);
    expect(origin.asked).toBe(2);
  });

  it("forget what another one invalidates", async () => {
    const [one, other] = [await startPodProcess({ url: server.url }), await startPodProcess({ url: server.url })];
    origin.answer("old");
    await one.fetch("a", 1, origin.url);
    await until(async () => "old memory" in (await other.fetch("a", 1, origin.url)));
    origin.answer("new");
    one.invalidate("a");

    await until(async () => "new computed" in (await other.fetch("a", 1, origin.url)));
  });
});
