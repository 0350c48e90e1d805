import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { Pool } from "../../../app/src/outbound/pool.ts";
import { SharedWeights } from "../../../app/src/redis/shared-weights.ts";
import { loadBalancedRequest } from "../../../app/src/tools/load-balanced-request.ts";
import { updateWeight } from "../../../app/src/tools/update-weight.ts";
import { newOutbound, type NewOutbound } from "../outbound/new-outbound.ts";
import { startUpstream, type TestUpstream } from "../outbound/upstream.ts";
import { call } from "./calling.ts";

let one: TestUpstream;
let other: TestUpstream;
let own: NewOutbound;
let pool: Pool;

beforeEach(async () => {
  [one, other] = await Promise.all([startUpstream(), startUpstream()]);
  own = newOutbound({ OUTBOUND_POOLS: `search=${one.origin},${other.origin}*3`, CB_FAILURE_THRESHOLD: "2" });
  const [config] = own.config.outbound.pools;
  if (config === undefined) throw new Error("no pool");
  pool = new Pool(config, own.outbound, own.config.breakers.upstream);
});

afterEach(async () => {
  own.outbound.close();
  await Promise.all([one.close(), other.close()]);
});

const ask = (args: object) =>
  call(loadBalancedRequest(new Map([[pool.name, pool]])), { pool: "search", path: "/", ...args });

const fail = (upstream: TestUpstream) => {
  upstream.answerWith((_request, response) => {
    response.writeHead(503).end();
  });
};

describe("update_weight", () => {
  const setting = (args: object) => {
    const pools = new Map([[pool.name, pool]]);
    const weights = new SharedWeights({
      redis: undefined,
      group: "blue",
      apply: ({ endpoint, weight }) => {
        pool.setWeight(endpoint, weight);
      },
    });
    return call(updateWeight({ pools, weights }), { pool: "search", ...args });
  };

  it("takes an endpoint out with 0, and lets it in again", async () => {
    const { data } = await setting({ endpoint: one.origin, weight: 0 });
    expect(data).toMatchObject({ shared: false, endpoints: [{ weight: 0 }, { weight: 3 }] });
    for (let turn = 0; turn < 4; turn += 1) await ask({ strategy: "round-robin" });
    expect([one.asked.length, other.asked.length]).toEqual([0, 4]);
    await setting({ endpoint: one.origin, weight: 1 });
    for (let turn = 0; turn < 4; turn += 1) await ask({ strategy: "round-robin" });

    expect([one.asked.length, other.asked.length]).toEqual([2, 6]);
  });

  it("says which pools and endpoints there are", async () => {
    expect((await setting({ pool: "none", endpoint: one.origin, weight: 1 })).text).toContain("there are search");
    expect((await setting({ endpoint: "https://a.example", weight: 1 })).text).toContain(`there are ${one.origin}`);
  });
});

describe("load_balanced_request", () => {
  it("says which endpoint answered, and how each one is", async () => {
    const { data } = await ask({ path: "/search?q=x", strategy: "round-robin" });

    expect(data).toMatchObject({
      status: 200,
      endpoint: one.origin,
      attempts: 1,
      endpoints: [
        { endpoint: one.origin, weight: 1, inFlight: 0, breaker: "closed", ejected: false },
        { endpoint: other.origin, weight: 3, inFlight: 0, breaker: "closed", ejected: false },
      ],
    });
    expect(one.asked[0]?.path).toBe("/search?q=x");
  });

  it.each([
    ["round-robin", 4, 4],
    ["weighted", 2, 6],
  ])("spreads by the strategy '%s'", async (strategy, first, second) => {
    for (let turn = 0; turn < 8; turn += 1) await ask({ strategy });

    expect([one.asked.length, other.asked.length]).toEqual([first, second]);
  });

  it("tries another endpoint where the request may be repeated, and takes out the one that fails", async () => {
    fail(one);
    for (let turn = 0; turn < 4; turn += 1) expect((await ask({ strategy: "round-robin" })).error).toBeUndefined();
    const { data } = await ask({});

    expect(one.asked).toHaveLength(2);
    expect(own.breakers.get(`upstream:${one.origin}`)?.stats.rejections).toBe(0);
    expect(data).toMatchObject({
      endpoint: other.origin,
      endpoints: [
        { breaker: "open", ejected: true },
        { breaker: "closed", ejected: false },
      ],
    });
  });

  it("does not try a request again that may do something each time", async () => {
    fail(one);
    const { error } = await ask({ strategy: "round-robin", method: "POST", body: "x" });

    expect(error).toEqual({ kind: "upstream_error" });
    expect(other.asked).toEqual([]);
  });

  it("takes in again an endpoint that is well again", async () => {
    fail(one);
    for (let turn = 0; turn < 4; turn += 1) await ask({ strategy: "round-robin" });
    expect(pool.endpoints[0]?.ejected).toBe(true);
    one.answerWith((_request, response) => {
      response.end();
    });
    own.breakers.get(`upstream:${one.origin}`)?.reset();

    expect(pool.endpoints[0]?.ejected).toBe(false);
  });

  it("calls none when all are out, and says when to try again", async () => {
    for (const breaker of own.breakers) breaker.forceOpen();
    const { error } = await ask({});

    expect(error).toEqual({ kind: "rejected", retryAfterMs: 30_000 });
    expect([...one.asked, ...other.asked]).toEqual([]);
  });

  it.each(["//evil.example/", String.raw`/\evil.example`, "http://evil.example/", "search", "", "/../..//x/../\u0000"])(
    "lets no path (%j) lead out of the pool",
    async (path) => {
      const { error } = await ask({ path });

      expect([undefined, { kind: "caller_error" }]).toContainEqual(error);
      expect([...one.asked, ...other.asked].every((asked) => asked.headers.host?.startsWith("127.0.0.1:"))).toBe(true);
      expect(error === undefined).toBe(path.startsWith("/.."));
    },
  );

  it("names the pools there are to who asks for another", async () => {
    const { text } = await ask({ pool: "serach" });
    expect(text).toBe("there is no pool 'serach'; there are search");

    const none = await call(loadBalancedRequest(new Map()), { pool: "search", path: "/" });
    expect(none.text).toBe("there is no pool 'search': OUTBOUND_POOLS, which names them, is empty on this server");
  });

  it.each([
    "search",
    "search=",
    "search=a.example",
    "search=https://a.example/path",
    "a=https://x,https://x",
    "a=https://x*99999",
    "A=https://x",
    "a=https://x;a=https://y",
  ])("is not given pools by '%s', and says how they look", (pools) => {
    expect(() => newOutbound({ OUTBOUND_POOLS: pools })).toThrow(
      /OUTBOUND_POOLS must (be pools such as|name each pool once)/,
    );
  });
});
