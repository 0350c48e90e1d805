import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import type { Strategy } from "../../../app/src/resilience/balancing.ts";
import { Breaker } from "../../../app/src/resilience/breaker.ts";
import { LoadBalancer, type LoadBalancerOptions, type Picked } from "../../../app/src/resilience/load-balancer.ts";
import { Rejected, type Rejection } from "../../../app/src/resilience/rejection.ts";
import { fakeTime } from "./fake-clock.ts";

const abc = (weights: Readonly<Record<string, number>> = {}) =>
  ["a", "b", "c"].map((name) => ({ name, target: `http://${name}`, weight: weights[name] ?? 1 }));

function clocked(options: Partial<LoadBalancerOptions<string>> = {}) {
  const { clock, time } = fakeTime();
  const balancer = new LoadBalancer({ name: "api", endpoints: abc(), time, ...options });
  const ejected = () => balancer.endpoints.filter(({ isEjected }) => isEjected).map(({ name }) => name);
  return { clock, balancer, ejected };
}

function picked(answer: Picked<string> | Rejection): Picked<string> {
  if (!answer.admitted) throw new Error(answer.reason);
  return answer;
}

/** The endpoints of so many calls, each over before the next. */
function calls(balancer: LoadBalancer<string>, count: number, fails: readonly string[] = []): string[] {
  return Array.from({ length: count }, () => {
    const pick = picked(balancer.pick());
    pick.settle(fails.includes(pick.endpoint) ? "failure" : "success");
    return pick.endpoint;
  });
}

const share = (names: readonly string[], name: string) => names.filter((one) => one === name).length / names.length;

describe("round robin", () => {
  it("gives each endpoint its turn", () => {
    const { balancer } = clocked({ strategy: "round-robin" });

    expect(calls(balancer, 7).join("")).toBe("abcabca");
  });
});

describe("random", () => {
  it("gives each endpoint its share in the long run", () => {
    const { balancer } = clocked({ strategy: "random" });
    const names = calls(balancer, 9000);

    for (const name of ["a", "b", "c"]) expect(share(names, name)).toBeCloseTo(1 / 3, 1);
  });
});

describe("weighted", () => {
  it("gives shares by weight, evenly mixed", () => {
    const { balancer } = clocked({ strategy: "weighted", endpoints: abc({ a: 5 }) });

    expect(calls(balancer, 7).join("")).toBe("aabacaa");
  });

  it("follows weights that change while it runs, down to none", () => {
    const { balancer } = clocked({ strategy: "weighted" });
    balancer.setWeight("a", 2);
    balancer.setWeight("c", 0);
    const names = calls(balancer, 300);

    expect([share(names, "a"), share(names, "b"), share(names, "c")]).toEqual([2 / 3, 1 / 3, 0]);
  });
});

describe("least loaded", () => {
  it("spreads calls that stay far more evenly than chance", () => {
    const endpoints = Array.from({ length: 20 }, (_, index) => ({ name: String(index), target: "" }));
    const spread = (strategy: Strategy) => {
      const { balancer } = clocked({ strategy, endpoints });
      for (let call = 0; call < 1000; call += 1) balancer.pick();
      const loads = balancer.endpoints.map(({ inFlight }) => inFlight);
      return Math.max(...loads) - Math.min(...loads);
    };

    expect(spread("least-loaded")).toBeLessThanOrEqual(6);
    expect(spread("random")).toBeGreaterThan(6);
  });

  it("counts load against weight", () => {
    const { balancer } = clocked({ endpoints: abc({ a: 4 }).slice(0, 2) });
    for (let call = 0; call < 100; call += 1) balancer.pick();

    expect(balancer.endpoints.map(({ inFlight }) => inFlight)).toEqual([80, 20]);
  });
});

describe("an endpoint that keeps failing", () => {
  it("is taken out after five failures in a row, and let in by one good call after its time", () => {
    const { clock, balancer, ejected } = clocked({ strategy: "round-robin" });
    calls(balancer, 15, ["b"]);
    expect(ejected()).toEqual(["b"]);
    expect(share(calls(balancer, 100), "b")).toBe(0);
    clock.advance(10_000);
    const probe = picked(balancer.pick());
    expect(probe.endpoint).toBe("b");
    expect(picked(balancer.pick()).endpoint).not.toBe("b");
    probe.settle("success");

    expect(ejected()).toEqual([]);
    expect(share(calls(balancer, 30), "b")).toBeCloseTo(1 / 3, 1);
  });

  it("stays out for longer when the call that would let it in fails", () => {
    const { clock, balancer } = clocked({ strategy: "round-robin" });
    calls(balancer, 15, ["b"]);
    clock.advance(10_000);
    calls(balancer, 1, ["b"]);
    clock.advance(10_000);

    expect(share(calls(balancer, 100), "b")).toBe(0);
  });

  it("stays in when as many are out as may be: then the fault is hardly its own", () => {
    const { balancer, ejected } = clocked({ strategy: "round-robin" });
    calls(balancer, 60, ["a", "b", "c"]);

    expect(ejected()).toHaveLength(1);
    expect(new Set(calls(balancer, 10, ["a", "b", "c"])).size).toBe(2);
  });

  it("leaves callers with a rejection that says when to come back, where all may be taken out", async () => {
    const { clock, balancer } = clocked({ maxEjected: 1 });
    for (let call = 0; call < 100; call += 1) {
      const pick = balancer.pick();
      if (pick.admitted) pick.settle("failure");
    }
    clock.advance(4000);

    expect(balancer.pick()).toEqual({ admitted: false, reason: "no-endpoint", policy: "api", retryAfterMs: 6000 });
    await expect(balancer.execute(() => Promise.resolve())).rejects.toBeInstanceOf(Rejected);
  });
});

describe("a load balancer", () => {
  it("hands the work its target, and counts how it went", async () => {
    const { balancer } = clocked({ endpoints: abc().slice(0, 1) });
    expect(await balancer.execute((target) => Promise.resolve(target))).toBe("http://a");
    await expect(balancer.execute(() => Promise.reject(new Error("down")))).rejects.toThrow("down");

    expect(balancer.endpoints).toEqual([{ name: "a", weight: 1, inFlight: 0, isEjected: false }]);
  });

  it("loses count of no call when what should judge its error throws", async () => {
    const judge = () => {
      throw new Error("a judge's own mistake");
    };
    const { balancer } = clocked({ ejection: { failureThreshold: 1, recoveryTimeout: 1000, judge } });
    await expect(balancer.execute(() => Promise.reject(new Error("down")))).rejects.toThrow("a judge's own mistake");

    expect(balancer.endpoints.map(({ inFlight }) => inFlight)).toEqual([0, 0, 0]);
  });

  it("refuses to have no endpoint, two of one name, a weight that is none, or to weigh what it has not", () => {
    const { balancer } = clocked();
    expect(() => clocked({ endpoints: [] })).toThrow("'api' needs at least one endpoint");
    expect(() => clocked({ endpoints: [...abc(), ...abc()] })).toThrow("two endpoints of one name");
    expect(() => clocked({ endpoints: abc({ b: -1 }) })).toThrow("the weight (-1) of endpoint 'b'");
    expect(() => {
      balancer.setWeight("d", 1);
    }).toThrow("has no endpoint 'd'");
  });

  it("loses count of no call and always finds an endpoint, whatever fails and whenever", () => {
    const step = fc.record({
      fails: fc.subarray(["a", "b", "c"]),
      wait: fc.integer({ min: 0, max: 20_000 }),
      weight: fc.option(fc.tuple(fc.constantFrom("a", "b"), fc.nat(3))),
    });
    const strategies = fc.constantFrom<Strategy>("round-robin", "random", "weighted", "least-loaded");
    fc.assert(
      fc.property(strategies, fc.array(step, { maxLength: 80, size: "max" }), (strategy, steps) => {
        const { clock, balancer } = clocked({ strategy });
        for (const { fails, wait, weight } of steps) {
          if (weight !== null) balancer.setWeight(...weight);
          calls(balancer, 3, fails);
          clock.advance(wait);
          expect(balancer.endpoints.filter(({ isEjected }) => isEjected).length).toBeLessThanOrEqual(1);
        }
        expect(balancer.endpoints.map(({ inFlight }) => inFlight)).toEqual([0, 0, 0]);
      }),
    );
  });
});

describe("a strategy for one call", () => {
  it("stands in for the balancer's own, and remembers whose turn it is", () => {
    const { balancer } = clocked({ strategy: "round-robin" });
    const turns = Array.from({ length: 4 }, (_, index) =>
      picked(balancer.pick(index % 2 === 0 ? undefined : "weighted")),
    );

    expect(turns.map(({ endpoint }) => endpoint).join("")).toBe("aabb");
  });
});

describe("an endpoint with a breaker that others use too", () => {
  it("costs it no rejection either where it gets calls all the same, since too many others are out", () => {
    const { time } = fakeTime();
    const breakers = ["a", "b"].map((name) => new Breaker({ name, failureThreshold: 1, recoveryTimeout: 1000, time }));
    const balancer = new LoadBalancer({
      name: "api",
      endpoints: breakers.map((breaker) => ({ name: breaker.name, target: breaker.name, breaker })),
      time,
    });
    for (const breaker of breakers) breaker.forceOpen();

    expect(calls(balancer, 3).join("")).toBe("bbb");
    expect(breakers.map(({ stats }) => stats.rejections)).toEqual([0, 0]);
  });

  it("is out while that is open, and costs it no rejection while others take its calls", () => {
    const { clock, time } = fakeTime();
    const breaker = new Breaker({ name: "a", failureThreshold: 1, recoveryTimeout: 1000, time });
    const balancer = new LoadBalancer({
      name: "api",
      endpoints: [
        { name: "a", target: "a", breaker },
        { name: "b", target: "b" },
      ],
      strategy: "round-robin",
      time,
    });
    const permit = breaker.tryAcquire();
    if (permit.admitted) permit.fail();

    expect(calls(balancer, 4).join("")).toBe("bbbb");
    clock.advance(1000);
    const probe = picked(balancer.pick());
    expect([probe.endpoint, ...calls(balancer, 3)].join("")).toBe("abbb");
    expect(breaker.stats.rejections).toBe(0);
    probe.settle("success");
    expect(share(calls(balancer, 4), "a")).toBe(1 / 2);
  });
});
