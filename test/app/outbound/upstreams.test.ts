import { afterEach, describe, expect, it } from "@jest/globals";
import { Rejected } from "../../../app/src/resilience/rejection.ts";
import { newOutbound, type NewOutbound } from "./new-outbound.ts";

let own: NewOutbound;

afterEach(() => {
  own.outbound.close();
});

describe("upstreams under a wildcard", () => {
  it("are forgotten, least recently used first, when there are too many, except those in trouble", () => {
    own = newOutbound({ OUTBOUND_ALLOW: "*.many.example" });
    const { upstreams } = own.outbound;
    const origin = (index: number) => `https://u${index}.many.example`;
    for (let index = 0; index < 100; index += 1) upstreams.of(origin(index));
    upstreams.of(origin(0));
    upstreams.of(origin(1)).breaker.forceOpen();
    upstreams.of(origin(100));

    expect(own.breakers.size).toBe(100);
    expect(own.breakers.get(`upstream:${origin(2)}`)).toBeUndefined();
    for (let index = 101; index < 200; index += 1) upstreams.of(origin(index));
    expect(own.breakers.get(`upstream:${origin(1)}`)?.state).toBe("open");
    expect(own.breakers.get(`upstream:${origin(0)}`)).toBeUndefined();
    expect(Object.keys(own.health.report().dependencies)).toHaveLength(100);
  });

  it("take no room from those that are named, however many are in trouble, and none for good", async () => {
    own = newOutbound({
      OUTBOUND_ALLOW: "*.many.example,api.example",
      OUTBOUND_POOLS: `pool=${Array.from({ length: 200 }, (_, index) => `https://e${index}.example`).join(",")}`,
      CB_RECOVERY_TIMEOUT: "1s",
    });
    const { upstreams } = own.outbound;
    for (const { endpoints } of own.config.outbound.pools) for (const { origin } of endpoints) upstreams.of(origin);
    for (let index = 0; index < 100; index += 1) {
      const { breaker } = upstreams.of(`https://u${index}.many.example`);
      for (let call = 0; call < 5; call += 1)
        await breaker.execute(() => Promise.reject(new Error("down"))).catch(() => undefined);
    }

    expect(upstreams.of("https://api.example").breaker.state).toBe("closed");
    expect(() => upstreams.of("https://another.many.example")).toThrow(Rejected);
    // Nothing tells of the end of a recovery time but the time itself.
    await new Promise((resolve) => setTimeout(resolve, 1000));
    expect(upstreams.of("https://another.many.example").breaker.state).toBe("closed");
    expect(own.breakers.size).toBe(200 + 1 + 100);
  });
});
