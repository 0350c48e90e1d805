import { expect, it } from "@jest/globals";
import { LocalBreakerHistory } from "../../../app/src/resilience/breaker-history.ts";
import { PLAIN_CALL } from "../../../app/src/resilience/call.ts";
import { circuitBreakerStats } from "../../../app/src/resources/circuit-breaker-stats.ts";
import { healthCheck } from "../../../app/src/tools/health-check.ts";
import { newOutbound } from "../outbound/new-outbound.ts";
import { startUpstream } from "../outbound/upstream.ts";
import { call } from "./calling.ts";

it("an upstream that a client has found under a wildcard is shown to operators alone", async () => {
  const upstream = await startUpstream();
  const { port } = new URL(upstream.origin);
  const { outbound, breakers, health } = newOutbound(
    {
      OUTBOUND_ALLOW: `http://*.example.com:${port},http://listed.example:${port}`,
      OUTBOUND_ALLOW_PRIVATE: "secret.example.com,listed.example",
    },
    () => Promise.resolve([{ address: "127.0.0.1", family: 4 }]),
  );
  const history = new LocalBreakerHistory(breakers);
  for (const host of ["secret.example.com", "listed.example"])
    await outbound.send(outbound.check({ url: `http://${host}:${port}/` }), PLAIN_CALL);
  for (const breaker of breakers) breaker.forceOpen();
  const { data, text } = await call(healthCheck({ health, outbound }), {});
  const shown = JSON.stringify([data, text, circuitBreakerStats({ health, breakers, history, outbound }).read()]);
  outbound.close();
  await upstream.close();

  expect(shown).toContain("listed.example");
  expect(shown).not.toContain("secret");
  expect(JSON.stringify([health.report(), breakers.stats, history.entries])).toContain("secret.example.com");
});
