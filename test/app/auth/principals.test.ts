import type { Client } from "@modelcontextprotocol/client";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import type { RunningApp } from "../running-app.ts";
import { startIssuer, type Issuer } from "./issuer.ts";
import { connectWith, startProtectedApp } from "./protected-app.ts";

describe("two principals of one server", () => {
  let issuer: Issuer;
  let app: RunningApp;
  let alice: Client;
  let bob: Client;

  beforeAll(async () => {
    issuer = await startIssuer();
    app = await startProtectedApp(issuer.environment);
    const as = (sub: string) => connectWith(app, "2026", () => issuer.token({ sub }));
    [alice, bob] = await Promise.all([as("alice"), as("bob")]);
  });

  afterAll(async () => {
    await Promise.all([alice.close(), bob.close()]);
    await app.close();
    await issuer.close();
  });

  const call = async (client: Client, name: string, args: Record<string, unknown> = {}) => {
    const { structuredContent, isError } = await client.callTool({ name, arguments: args });
    return { ...(structuredContent as Record<string, unknown> | undefined), isError: isError === true };
  };

  it("have records of their own, and one who fills the store neither stops the other nor fails the health gate", async () => {
    const value = "x".repeat(60_000);
    let refused = 0;
    for (let index = 0; index < 150; index += 1) {
      const { isError } = await call(alice, "store_data_resilient", { key: `key ${index}`, value });
      if (isError) refused += 1;
    }
    expect(refused).toBeGreaterThan(50);
    expect(await call(bob, "store_data_resilient", { key: "key 0", value: "bob's" })).toMatchObject({
      status: "stored",
    });

    expect(await call(bob, "get_data", { key: "key 0" })).toMatchObject({ found: true, value: "bob's", revision: 1 });
    expect(await call(bob, "get_data", { key: "key 1" })).toMatchObject({ found: false });
    expect(await call(bob, "health_check")).toMatchObject({ dependencies: { database: { status: "healthy" } } });
  }, 20_000);
});
