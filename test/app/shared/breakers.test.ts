import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "@jest/globals";
import { describeWithRedis } from "../../redis/describe.ts";
import { startRedis, type RedisServer } from "../../redis/server.ts";
import { closePods, fail, startPods, succeed, until } from "./pods.ts";

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
beforeEach(() => server.flush());
afterEach(closePods);
afterAll(() => server.close());

describeWithRedis("breakers of several pods", () => {
  it("open everywhere once most pods that have calls have opened theirs, also where there were none", async () => {
    const [one, other, blind] = await startPods(3, { url: server.url });
    fail(one);
    fail(other);
    await until(() => [one, other, blind].every(({ shared }) => shared.holdsOpen("api")));

    expect([one, other, blind].map(({ breaker }) => breaker.state)).toEqual(["open", "open", "open"]);
  });

  it("close everywhere once a leased probe has succeeded on one of them", async () => {
    const [one, other, blind] = await startPods(3, { url: server.url });
    fail(one);
    fail(other);
    await until(() => blind.breaker.state === "open");
    expect(blind.breaker.tryAcquire().admitted).toBe(false);
    await until(() => blind.breaker.state === "half-open");
    succeed(blind);
    await until(() => [one, other, blind].every(({ breaker }) => breaker.state === "closed"));
  });
});
