import { describe, expect, it } from "@jest/globals";
import { LocalBreakerHistory } from "../../../app/src/resilience/breaker-history.ts";
import { BreakerRegistry } from "../../../app/src/resilience/breaker-registry.ts";
import { breakerControl } from "../../../app/src/tools/breaker-control.ts";
import { call } from "./calling.ts";

function setUp() {
  const breakers = new BreakerRegistry();
  const history = new LocalBreakerHistory(breakers);
  for (const name of ["a", "b"]) breakers.create({ name, failureThreshold: 1, recoveryTimeout: 1000 });
  const tool = breakerControl(breakers, history);
  return { breakers, ask: (args: object) => call(tool, args), tool };
}

describe("breaker_control", () => {
  it("lists breakers with their counts and what they did", async () => {
    const { breakers, ask } = setUp();
    const permit = breakers.get("a")?.tryAcquire();
    if (permit?.admitted === true) permit.fail();
    const { data, text } = await ask({ action: "list" });

    expect(data).toMatchObject({
      breakers: [
        { name: "a", state: "open", failures: 1, forced: false },
        { name: "b", state: "closed" },
      ],
      history: [{ breaker: "a", from: "closed", to: "open", reason: "failures", at: expect.any(String) }],
    });
    expect(text).toBe("a is open; b is closed");
  });

  it("holds one open by hand until it is reset", async () => {
    const { breakers, ask } = setUp();
    expect((await ask({ action: "force_open", breaker: "b" })).data).toMatchObject({
      breakers: [{ name: "b", state: "open", forced: true }],
      history: [{ breaker: "b", to: "open", reason: "forced" }],
    });
    expect(breakers.get("a")?.state).toBe("closed");
    expect((await ask({ action: "reset", breaker: "b" })).data).toMatchObject({
      breakers: [{ name: "b", state: "closed", forced: false }],
    });
  });

  it("names the breakers there are to who means another, or none", async () => {
    const { ask } = setUp();
    const unknown = await ask({ action: "reset", breaker: "c" });
    expect(unknown.text).toBe("there is no breaker 'c'; there are a, b");
    expect(unknown.error).toEqual({ kind: "caller_error" });

    expect((await ask({ action: "force_open" })).text).toBe("'force_open' needs the name of a breaker: a, b");
  });

  it("moves nothing for who lacks the scope", async () => {
    const { breakers, tool } = setUp();
    const { error, text } = await call(tool, { action: "force_open", breaker: "a" }, { scopes: [] });

    expect(error).toEqual({ kind: "caller_error" });
    expect(text).toContain("breakers:write");
    expect(breakers.get("a")?.state).toBe("closed");
  });
});
