import { setTimeout as sleep } from "node:timers/promises";
import { BreakerRegistry } from "../../app/src/resilience/breaker-registry.ts";
import { SharedBreakers } from "../../app/src/redis/breakers.ts";
import { RedisConnection } from "../../app/src/redis/connection.ts";
import type { Order, Told } from "./messages.ts";

/** One pod of the benchmark, told what to do by the process that has started it. */
const [url = "", dependency = "", limit = "1"] = process.argv.slice(2);

const redis = new RedisConnection({ url, cluster: false, prefix: "mcp", timeout: 1000 });
const breakers = new BreakerRegistry();
const shared = new SharedBreakers({ redis, group: "none", breakers, interval: 1000 });
const breaker = breakers.create({
  name: "api",
  failureThreshold: 5,
  recoveryTimeout: 1000,
  halfOpenLimit: Number(limit),
  successThreshold: Number(limit),
  timeout: 10_000,
});

const tell = (told: Told) => process.send?.(told);

breaker.events.on((event) => {
  if (event.type === "transition")
    tell({ type: "state", state: event.to, at: performance.timeOrigin + performance.now() });
});

/** Says under which epoch it calls, so that the dependency can tell one episode's probes from another's. */
async function ask(): Promise<void> {
  const response = await fetch(`${dependency}?epoch=${shared.stats.epoch}`);
  await response.arrayBuffer();
  if (!response.ok) throw new Error(`status ${response.status}`);
}

async function call(): Promise<void> {
  await sleep(Math.random() * 500);
  while (breaker.state !== "closed") {
    await breaker.execute(ask).catch(() => undefined);
    await sleep(250 + Math.random() * 250);
  }
}

process.on("message", (order: Order) => {
  if (order.type === "fail") {
    for (let failure = 0; failure < 5; failure += 1) {
      const permit = breaker.tryAcquire();
      if (permit.admitted) permit.fail();
    }
  } else if (order.type === "succeed") {
    const permit = breaker.tryAcquire();
    if (permit.admitted) permit.succeed();
  } else if (order.type === "reset") breaker.reset();
  else for (let caller = 0; caller < order.callers; caller += 1) void call();
});
process.once("disconnect", () => process.exit());

while (!shared.isShared) await sleep(5);
tell({ type: "ready" });
