import { describe, expect, it } from "@jest/globals";
import { BreakerRegistry } from "../../../app/src/resilience/breaker-registry.ts";

const options = (name: string) => ({ name, failureThreshold: 3, recoveryTimeout: 1000 });

describe("the registry of breakers", () => {
  it("hands out each breaker by its name and walks all in the order they were made", () => {
    const registry = new BreakerRegistry();
    const database = registry.create(options("database"));
    registry.create(options("cache")).forceOpen();

    expect(registry.get("database")).toBe(database);
    expect([...registry].map(({ name, state }) => `${name} ${state}`)).toEqual(["database closed", "cache open"]);
  });

  it.each([
    ["failures in a row alone", "consecutive", "closed"],
    ["half of the calls failing, too", "failure-rate", "open"],
    ["more failures than are usual, too", "adaptive", "open"],
  ] as const)("makes a breaker that opens on %s", (_what, opensOn, state) => {
    const breaker = new BreakerRegistry().create({ ...options("api"), opensOn });
    for (let call = 0; call < 100; call += 1) {
      const permit = breaker.tryAcquire();
      if (!permit.admitted) break;
      if (call % 2 === 0) permit.fail();
      else permit.succeed();
    }

    expect(breaker.state).toBe(state);
  });

  it("refuses a second breaker of the same name until the first is removed", () => {
    const registry = new BreakerRegistry();
    registry.create(options("cache"));
    expect(() => registry.create(options("cache"))).toThrow("there is a breaker named 'cache' already");
    registry.remove("cache");

    expect(registry.create(options("cache")).name).toBe("cache");
    expect(registry.size).toBe(1);
  });
});
