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

  it("refuses a second breaker of the same name until the first is removed", () => {
    const registry = new BreakerRegistry();
    registry.create(options("cache"));
    expect(() => registry.create(options("cache"))).toThrow("there is a breaker named 'cache' already");
    registry.remove("cache");

    expect(registry.create(options("cache")).name).toBe("cache");
    expect(registry.size).toBe(1);
  });
});
