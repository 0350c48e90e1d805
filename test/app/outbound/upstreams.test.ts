import { afterEach, describe, expect, it } from "@jest/globals";
import { UpstreamFailure } from "../../../app/src/outbound/upstream-failure.ts";
import { CallerCall } from "../../../app/src/resilience/call.ts";
import { Rejected } from "../../../app/src/resilience/rejection.ts";
import { newOutbound, type NewOutbound } from "./new-outbound.ts";
import { startUpstream } from "./upstream.ts";

let own: NewOutbound;

afterEach(() => {
  own.outbound.close();
});

const origin = (index: number) => `https://u${index}.many.example`;

/** Of five clients, who may find twenty upstreams each. */
const clientOf = (index: number) => `client ${index % 5}`;

/** Calls an upstream until its breaker opens. */
async function fail(index: number, client = clientOf(index)): Promise<void> {
  const { breaker } = own.outbound.upstreams.of(origin(index), client);
  for (let call = 0; call < 5; call += 1)
    await breaker.execute(() => Promise.reject(new UpstreamFailure("down"))).catch(() => undefined);
  expect(breaker.state).toBe("open");
}

const stateOf = (index: number) => own.breakers.get(`upstream:${origin(index)}`)?.state;

describe("upstreams under a wildcard", () => {
  it("are forgotten, least recently used first, when there are too many, except those that fail", () => {
    own = newOutbound({ OUTBOUND_ALLOW: "*.many.example" });
    const { upstreams } = own.outbound;
    for (let index = 0; index < 100; index += 1) upstreams.of(origin(index), clientOf(index));
    upstreams.of(origin(0));
    upstreams.of(origin(1)).breaker.forceOpen();
    for (let index = 100; index < 150; index += 1) upstreams.of(origin(index), clientOf(index));

    expect(own.breakers.size).toBe(100);
    expect(stateOf(2)).toBeUndefined();
    for (let index = 150; index < 300; index += 1) upstreams.of(origin(index), clientOf(index));
    expect([stateOf(1), stateOf(0)]).toEqual(["open", undefined]);
    expect(Object.keys(own.health.report().dependencies)).toHaveLength(100);
  });

  it("of one client are at most twenty, of which it loses none that fails", async () => {
    own = newOutbound({ OUTBOUND_ALLOW: "*.many.example", CB_RECOVERY_TIMEOUT: "1s" });
    const { upstreams } = own.outbound;
    for (let index = 0; index < 20; index += 1) await fail(index, "one");

    expect(() => upstreams.of(origin(20), "one")).toThrow(Rejected);
    expect(() => upstreams.of(origin(20), "one")).toThrow(/upstreams under wildcards: .*; try again in \d+ ms/);
    expect(upstreams.of(origin(20), "another").breaker.state).toBe("closed");
    expect(upstreams.of(origin(0), "one").breaker.state).toBe("open");
    // Nothing tells of the end of a recovery time but the time itself.
    await new Promise((resolve) => setTimeout(resolve, 1000));
    expect(upstreams.of(origin(21), "one").breaker.state).toBe("closed");
    expect(own.breakers.size).toBe(21);
  });

  it("lock no other client out, however many clients make all of them fail", async () => {
    own = newOutbound({ OUTBOUND_ALLOW: "*.many.example" });
    const { upstreams } = own.outbound;
    for (let index = 0; index < 100; index += 1) await fail(index);
    upstreams.of(origin(0)).breaker.forceOpen();

    for (let index = 100; index < 110; index += 1)
      expect(upstreams.of(origin(index), "a new client").breaker.state).toBe("closed");
    expect(own.breakers.size).toBe(100);
    expect(stateOf(0)).toBe("open");
  });

  it("take no room from those that are named, however many fail", async () => {
    own = newOutbound({
      OUTBOUND_ALLOW: "*.many.example,api.example",
      OUTBOUND_POOLS: `pool=${Array.from({ length: 200 }, (_, index) => `https://e${index}.example`).join(",")}`,
    });
    const { upstreams } = own.outbound;
    for (const { endpoints } of own.config.outbound.pools) for (const { origin } of endpoints) upstreams.of(origin);
    for (let index = 0; index < 100; index += 1) await fail(index);

    expect(upstreams.of("https://api.example").breaker.state).toBe("closed");
    expect(own.breakers.size).toBe(200 + 1 + 100);
  });
});

describe("a name under a wildcard that does not resolve", () => {
  const call = (url: string, client: string) =>
    own.outbound.send(own.outbound.check({ url }), new CallerCall({ client, repeatable: true }));

  it("gets no breaker, so that no number of calls to such names locks anybody out", async () => {
    const upstream = await startUpstream();
    own = newOutbound(
      { OUTBOUND_ALLOW: `http://*.many.example:${upstream.port}`, OUTBOUND_ALLOW_PRIVATE: "there.many.example" },
      (host) =>
        host === "there.many.example"
          ? Promise.resolve([{ address: "127.0.0.1", family: 4 }])
          : Promise.reject(Object.assign(new Error("no such host"), { code: "ENOTFOUND" })),
    );
    for (let index = 0; index < 100; index += 1) {
      const url = `http://u${index}.many.example:${upstream.port}/`;
      const calls = Array.from({ length: 5 }, () => call(url, "one").catch((error: unknown) => error));
      for (const error of await Promise.all(calls))
        expect(error).toMatchObject({
          name: "UpstreamFailure",
          message: `u${index}.many.example has no address (ENOTFOUND)`,
        });
    }

    expect(own.breakers.size).toBe(0);
    expect(own.health.report().dependencies).toEqual({});
    expect((await call(`http://there.many.example:${upstream.port}/`, "one")).status).toBe(200);
    expect(own.breakers.size).toBe(1);
    await upstream.close();
  });

  it("counts against a host that the operator has named", async () => {
    own = newOutbound({ OUTBOUND_ALLOW: "api.example" }, () => Promise.resolve([]));

    await expect(call("https://api.example/", "one")).rejects.toThrow("api.example has no address");
    expect(own.breakers.get("upstream:https://api.example")?.stats.failures).toBe(1);
  });
});

describe("a request that an API does not implement", () => {
  it("does not count against the API, however often it is sent", async () => {
    const upstream = await startUpstream((_request, response) => {
      response.writeHead(501).end();
    });
    own = newOutbound({ OUTBOUND_ALLOW: upstream.origin, OUTBOUND_ALLOW_PRIVATE: "127.0.0.1" });
    const request = own.outbound.check({ url: upstream.origin, method: "OPTIONS" });
    for (let turn = 0; turn < 6; turn += 1)
      await expect(own.outbound.send(request, new CallerCall())).rejects.toThrow("answered 501 Not Implemented");

    expect(own.breakers.stats).toMatchObject([{ state: "closed", failures: 0 }]);
    await upstream.close();
  });
});
