import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import type { Strategy } from "../../../app/src/resilience/balancing.ts";
import { Breaker, type BreakerOptions } from "../../../app/src/resilience/breaker.ts";
import { LoadBalancer, type LoadBalancerOptions, type Picked } from "../../../app/src/resilience/load-balancer.ts";
import { Rejected, type Rejection } from "../../../app/src/resilience/rejection.ts";
import { fakeTime } from "./fake-clock.ts";

interface Options extends Pick<LoadBalancerOptions<string>, "judge"> {
  readonly names?: readonly string[];
  readonly weights?: Readonly<Record<string, number>>;
  readonly breaker?: Partial<BreakerOptions>;
}

/** Endpoints that are ejected after five consecutive failures, for 10 s and then for about 20 s. */
function clocked({ names = ["a", "b", "c"], weights = {}, breaker, ...options }: Options = {}) {
  const { clock, time } = fakeTime();
  const endpoints = names.map((name) => ({
    name,
    target: `http://${name}`,
    weight: weights[name] ?? 1,
    breaker: new Breaker({
      name,
      failureThreshold: 5,
      recoveryTimeout: 10_000,
      time,
      ...breaker,
    }),
  }));
  const balancer = new LoadBalancer({ name: "api", endpoints, ...options });
  const ejected = () => balancer.endpoints.filter(({ ejected }) => ejected).map(({ endpoint }) => endpoint);
  return { clock, balancer, ejected, breakers: endpoints.map((endpoint) => endpoint.breaker) };
}

function picked(answer: Picked<string> | Rejection): Picked<string> {
  if (!answer.admitted) throw new Error(answer.reason);
  return answer;
}

/** The endpoints of so many calls, each over before the next. */
function calls(
  { balancer }: { readonly balancer: LoadBalancer<string> },
  count: number,
  strategy: Strategy,
  fails: readonly string[] = [],
): string[] {
  return Array.from({ length: count }, () => {
    const pick = picked(balancer.pick(strategy));
    pick.settle(fails.includes(pick.endpoint) ? "failure" : "success");
    return pick.endpoint;
  });
}

const share = (names: readonly string[], name: string) => names.filter((one) => one === name).length / names.length;

describe("round robin", () => {
  it("gives each endpoint its turn", () => {
    expect(calls(clocked(), 7, "round-robin").join("")).toBe("abcabca");
  });
});

describe("random", () => {
  it("gives each endpoint its share in the long run", () => {
    const names = calls(clocked(), 9000, "random");

    for (const name of ["a", "b", "c"]) expect(share(names, name)).toBeCloseTo(1 / 3, 1);
  });
});

describe("weighted", () => {
  it("gives shares by weight, evenly mixed", () => {
    expect(calls(clocked({ weights: { a: 5 } }), 7, "weighted").join("")).toBe("aabacaa");
  });

  it("follows weights that change while it runs, down to none", () => {
    const { balancer } = clocked();
    balancer.setWeight("a", 2);
    balancer.setWeight("c", 0);
    const names = calls({ balancer }, 300, "weighted");

    expect([share(names, "a"), share(names, "b"), share(names, "c")]).toEqual([2 / 3, 1 / 3, 0]);
  });
});

describe("least loaded", () => {
  it("spreads calls that stay far more evenly than chance", () => {
    const names = Array.from({ length: 20 }, (_, index) => String(index));
    const spread = (strategy: Strategy) => {
      const { balancer } = clocked({ names });
      for (let call = 0; call < 1000; call += 1) balancer.pick(strategy);
      const loads = balancer.endpoints.map(({ inFlight }) => inFlight);
      return Math.max(...loads) - Math.min(...loads);
    };

    expect(spread("least-loaded")).toBeLessThanOrEqual(6);
    expect(spread("random")).toBeGreaterThan(6);
  });

  it("counts load against weight", () => {
    const { balancer } = clocked({ names: ["a", "b"], weights: { a: 4 } });
    for (let call = 0; call < 100; call += 1) balancer.pick("least-loaded");

    expect(balancer.endpoints.map(({ inFlight }) => inFlight)).toEqual([80, 20]);
  });
});

describe("an endpoint that keeps failing", () => {
  it("is ejected after five consecutive failures, and admitted by one successful call after its time", () => {
    const { clock, balancer, ejected } = clocked();
    calls({ balancer }, 15, "round-robin", ["b"]);
    expect(ejected()).toEqual(["b"]);
    expect(share(calls({ balancer }, 100, "round-robin"), "b")).toBe(0);
    clock.advance(10_000);
    const probe = picked(balancer.pick("round-robin"));
    expect(probe.endpoint).toBe("b");
    expect(picked(balancer.pick("round-robin")).endpoint).not.toBe("b");
    probe.settle("success");

    expect(ejected()).toEqual([]);
    expect(share(calls({ balancer }, 30, "round-robin"), "b")).toBeCloseTo(1 / 3, 1);
  });

  it("stays ejected for longer when its probe fails", () => {
    const { clock, balancer } = clocked();
    calls({ balancer }, 15, "round-robin", ["b"]);
    clock.advance(10_000);
    calls({ balancer }, 1, "round-robin", ["b"]);
    clock.advance(10_000);

    expect(share(calls({ balancer }, 100, "round-robin"), "b")).toBe(0);
  });

  it("leads to a rejection that says when to retry, when all are ejected", async () => {
    const { clock, balancer } = clocked();
    for (let call = 0; call < 100; call += 1) {
      const pick = balancer.pick("least-loaded");
      if (pick.admitted) pick.settle("failure");
    }
    clock.advance(4000);

    expect(balancer.pick("least-loaded")).toEqual({
      admitted: false,
      reason: "no-endpoint",
      policy: "api",
      retryAfterMs: 6000,
    });
    await expect(balancer.execute(() => Promise.resolve(), "least-loaded")).rejects.toBeInstanceOf(Rejected);
  });
});

describe("a load balancer", () => {
  it("passes its target to the work, and counts the result", async () => {
    const { balancer, breakers } = clocked({ names: ["a"] });
    expect(await balancer.execute((target) => Promise.resolve(target), "random")).toBe("http://a");
    await expect(balancer.execute(() => Promise.reject(new Error("down")), "random")).rejects.toThrow("down");

    expect(balancer.endpoints).toEqual([{ endpoint: "a", weight: 1, inFlight: 0, breaker: "closed", ejected: false }]);
    expect(breakers[0]?.stats).toMatchObject({ successes: 1, failures: 1 });
  });

  it("counts each call also when the judge of its error throws", async () => {
    const judge = () => {
      throw new Error("a judge's own mistake");
    };
    const { balancer } = clocked({ judge });
    const answer = balancer.execute(() => Promise.reject(new Error("down")), "random");
    await expect(answer).rejects.toThrow("a judge's own mistake");

    expect(balancer.endpoints.map(({ inFlight }) => inFlight)).toEqual([0, 0, 0]);
  });

  it("refuses an empty list, two endpoints of one name, an invalid weight and an unknown endpoint", () => {
    const { balancer } = clocked();
    expect(() => clocked({ names: [] })).toThrow("'api' needs at least one endpoint");
    expect(() => clocked({ names: ["a", "b", "a"] })).toThrow("two endpoints of one name");
    expect(() => clocked({ weights: { b: -1 } })).toThrow("the weight (-1) of endpoint 'b'");
    expect(() => {
      balancer.setWeight("d", 1);
    }).toThrow("has no endpoint 'd'");
  });

  it("counts every call, and finds an endpoint while one is healthy, whatever fails", () => {
    const step = fc.record({
      fails: fc.subarray(["a", "b"]),
      wait: fc.integer({ min: 0, max: 20_000 }),
      weight: fc.option(fc.tuple(fc.constantFrom("a", "b"), fc.nat(3))),
    });
    const strategies = fc.constantFrom<Strategy>("round-robin", "random", "weighted", "least-loaded");
    fc.assert(
      fc.property(strategies, fc.array(step, { maxLength: 80, size: "max" }), (strategy, steps) => {
        const { clock, balancer } = clocked();
        for (const { fails, wait, weight } of steps) {
          if (weight !== null) balancer.setWeight(...weight);
          calls({ balancer }, 3, strategy, fails);
          clock.advance(wait);
        }
        expect(balancer.endpoints.map(({ inFlight }) => inFlight)).toEqual([0, 0, 0]);
      }),
    );
  });

  it("keeps the turns of each strategy", () => {
    const { balancer } = clocked();
    const turns = Array.from({ length: 4 }, (_, index) =>
      picked(balancer.pick(index % 2 === 0 ? "round-robin" : "weighted")),
    );

    expect(turns.map(({ endpoint }) => endpoint).join("")).toBe("aabb");
  });
});

describe("an endpoint with a breaker that other callers use", () => {
  it("is ejected while the breaker is open, without rejections while others take its calls", () => {
    const { clock, balancer, breakers } = clocked({
      names: ["a", "b"],
      breaker: { failureThreshold: 1, recoveryTimeout: 1000 },
    });
    const permit = breakers[0]?.tryAcquire();
    if (permit?.admitted === true) permit.fail();

    expect(calls({ balancer }, 4, "round-robin").join("")).toBe("bbbb");
    clock.advance(1000);
    const probe = picked(balancer.pick("round-robin"));
    expect([probe.endpoint, ...calls({ balancer }, 3, "round-robin")].join("")).toBe("abbb");
    expect(breakers[0]?.stats.rejections).toBe(0);
    probe.settle("success");
    expect(share(calls({ balancer }, 4, "round-robin"), "a")).toBe(1 / 2);
  });

  it("is passed over when the pods hold its breaker open and there is no probe lease", () => {
    const { balancer, breakers } = clocked({ names: ["a", "b"] });
    breakers[0]?.holdOpen({ remaining: 0, openings: 1, rejected: () => undefined });

    expect(calls({ balancer }, 4, "round-robin").join("")).toBe("bbbb");
  });
});
