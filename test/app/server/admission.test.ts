import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, it } from "@jest/globals";
import { Admission } from "../../../app/src/server/admission.ts";
import { startTestApp } from "../running-app.ts";
import { call, openRaw, post } from "./raw-connection.ts";

/** Takes so much of the processor's time, which passes more slowly than the clock's while others use it. */
function spend(milliseconds: number): void {
  const start = process.threadCpuUsage();
  const spent = () => {
    const { user, system } = process.threadCpuUsage();
    return (user - start.user + system - start.system) / 1000;
  };
  while (spent() < milliseconds) continue;
}

/** How many of so many calls are admitted in one turn, each of which takes so many milliseconds. */
function admitted(admission: Admission, calls: number, milliseconds: number): number {
  let count = 0;
  for (let call = 0; call < calls; call += 1) {
    if (!admission.tryStart()) continue;
    count += 1;
    spend(milliseconds);
  }
  return count;
}

describe("the admission of calls", () => {
  it("rejects calls when a turn has spent its time on others, and admits the first ones of the next turn", async () => {
    const admission = new Admission(10);

    const first = admitted(admission, 100, 0.25);
    expect(first).toBeGreaterThanOrEqual(20);
    expect(first).toBeLessThan(60);
    expect(admission.rejected).toBe(100 - first);
    await nextTurn();
    expect(admission.tryStart()).toBe(true);
  });

  it("admits calls in one turn as long as they take little of it, however many they are", () => {
    expect(admitted(new Admission(1000), 1000, 0)).toBe(1000);
  });

  it("rejects none because of how long calls take, when few of them start in a turn", async () => {
    const admission = new Admission(1);
    for (let turn = 0; turn < 5; turn += 1) {
      expect(admitted(admission, 5, 3)).toBe(5);
      await nextTurn();
    }

    expect(admission.rejected).toBe(0);
  });

  it("rejects calls also when few of them start in a turn but together hold it up", () => {
    expect(admitted(new Admission(10), 8, 50)).toBe(4);
  });

  it("rejects none without a limit", () => {
    expect(admitted(new Admission(0), 200, 0.1)).toBe(200);
  });
});

describe("a pod that has more calls than it can answer in time", () => {
  it("answers some, and the others with when to call again, and keeps their connections and its probes", async () => {
    const app = await startTestApp(
      { ADMISSION_TIME: "5ms", KEEP_ALIVE_TIMEOUT: "5s" },
      {
        tools: (tools) =>
          tools.map((tool) => ({
            ...tool,
            handle: (args, context) => {
              spend(1);
              return tool.handle(args, context);
            },
          })),
      },
    );
    const CALLS = 90;
    const raw = await openRaw(app.mcpPort);
    // On one connection, they are all of one turn.
    raw.socket.write(Buffer.concat(Array.from({ length: CALLS }, (_, id) => post(call("simple_health", id)))));
    const probe = await fetch(`${app.admin}/readyz`);
    while ((raw.received.match(/HTTP\/1\.1 /g)?.length ?? 0) < CALLS) await raw.more();
    const count = (text: string) => raw.received.split(text).length - 1;

    expect(probe.status).toBe(200);
    expect(count("HTTP/1.1 200 ") + count("HTTP/1.1 503 ")).toBe(CALLS);
    expect(count("HTTP/1.1 200 ")).toBeGreaterThanOrEqual(20);
    expect(count("HTTP/1.1 503 ")).toBeGreaterThan(0);
    expect(raw.received).toMatch(/^retry-after: [12]\r$/m);
    expect(raw.received).toMatch(
      /"error":\{"code":-32000,"message":"[^"]*call again in (\d+) ms","data":\{"retryAfterMs":\1\}\}/,
    );
    const metrics = await (await fetch(`${app.admin}/metrics`)).text();
    expect(metrics).toContain(`mcp_server_shed_requests_total{reason="overload"} ${count("HTTP/1.1 503 ")}\n`);

    raw.socket.write(post(call("simple_health", "later")));
    await raw.until('"id":"later"');
    raw.socket.destroy();
    await app.close();
  });
});
