import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { createMcpHandler, McpServer } from "@modelcontextprotocol/server";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { readConfig } from "../../../app/src/config.ts";
import { Admission } from "../../../app/src/server/admission.ts";
import { BodyBudget } from "../../../app/src/server/body-budget.ts";
import { Connections } from "../../../app/src/server/connections.ts";
import { listen } from "../../../app/src/server/listen.ts";
import { createMcpPort } from "../../../app/src/server/mcp-port.ts";
import { createLogger } from "../../../app/src/telemetry/logger.ts";
import { call, openRaw, post } from "./raw-connection.ts";

/** As the app has them, only shorter. */
const TIMEOUTS = { headers: 200, request: 500, response: 1000, idle: 500, discard: 200 };

/** More than the operating system keeps for a reader. */
const BIG = 32 * 1024 * 1024;

const config = readConfig({ AUTH_MODE: "off", LOG_LEVEL: "silent" });
const connections = new Connections({ maxAge: 60_000, keepAliveTimeout: 5000, max: 100 });
const server = createMcpPort({
  config,
  authorization: undefined,
  handler: createMcpHandler(tools),
  connections,
  logger: createLogger(config).logger,
  bodies: new BodyBudget(config),
  admission: new Admission(config.admissionTime),
  timeouts: TIMEOUTS,
});
let port: number;

beforeAll(async () => {
  port = await listen(server, "MCP_PORT", 0, "127.0.0.1");
});

afterAll(async () => {
  connections.destroy();
  await once(server.close(), "close");
});

function tools(): McpServer {
  const mcp = new McpServer({ name: "slow", version: "1.0.0" });
  const text = (answer: string) => ({ content: [{ type: "text" as const, text: answer }] });
  mcp.registerTool("quick", {}, () => text("quick"));
  mcp.registerTool("big", {}, () => text("x".repeat(BIG)));
  mcp.registerTool("long", {}, async () => {
    await sleep(1.5 * TIMEOUTS.response);
    return text("at last");
  });
  return mcp;
}

/**
 * Sends one byte after another until the connection is closed; returns how many milliseconds that
 * took.
 */
async function trickle(bytes: Buffer): Promise<{ received: string; ms: number }> {
  const raw = await openRaw(port);
  const start = performance.now();
  for (const byte of bytes) {
    if (raw.socket.destroyed) break;
    raw.socket.write(Buffer.of(byte));
    await sleep(20);
  }
  await raw.closed;
  return { received: raw.received, ms: performance.now() - start };
}

/** Well above what the server grants, and well below what sending everything would take. */
const SOON = 5000;

describe("a client that takes its time", () => {
  it("is cut off with 408 when its headers come byte by byte", async () => {
    const { received, ms } = await trickle(
      Buffer.from(`POST /mcp HTTP/1.1\r\nhost: localhost\r\nx: ${"y".repeat(500)}`),
    );

    expect(received).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n/);
    expect(ms).toBeLessThan(SOON);
  });

  it("is cut off with 408 when its body comes byte by byte", async () => {
    const body = Buffer.from(call("quick").padEnd(500));
    const raw = await openRaw(port);
    raw.socket.write(post(body).subarray(0, -body.length));
    const start = performance.now();
    for (const byte of body) {
      if (raw.socket.destroyed) break;
      raw.socket.write(Buffer.of(byte));
      await sleep(20);
    }
    await raw.closed;

    expect(raw.received).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n/);
    expect(performance.now() - start).toBeLessThan(SOON);
  });

  it("is cut off when it never sends anything", async () => {
    const raw = await openRaw(port);
    await raw.closed;

    expect(raw.received).toMatch(/^HTTP\/1\.1 408 /);
  });

  it("is let go when it has had its answer and asks nothing more", async () => {
    const raw = await openRaw(port);
    raw.socket.write(post(call("quick")));
    await raw.closed;

    expect(raw.received).toContain('"text":"quick"');
  });

  it("is waited for while its call works, however quiet that is", async () => {
    const raw = await openRaw(port);
    raw.socket.write(post(call("long")));
    await raw.until("at last");

    raw.socket.destroy();
  });
});

describe("a client that does not read a big answer", () => {
  it("is cut off, and nothing of it stays", async () => {
    const raw = await openRaw(port);
    raw.socket.pause();
    raw.socket.write(post(call("big")));
    while (connections.busy === 0) await sleep(5);
    await connections.none();

    raw.socket.resume();
    await raw.closed;
    expect(raw.received.length).toBeLessThan(BIG);
  });

  it("gets all of it when it only reads slowly", async () => {
    const raw = await openRaw(port);
    let bytes = 0;
    raw.socket.on("data", (chunk) => (bytes += chunk.length));
    raw.socket.write(post(call("big")));
    const start = performance.now();
    while (performance.now() - start < 2 * TIMEOUTS.response) {
      raw.socket.pause();
      await sleep(TIMEOUTS.response / 10);
      raw.socket.resume();
      await once(raw.socket, "data");
    }
    expect(bytes).toBeLessThan(BIG);
    while (bytes < BIG) await once(raw.socket, "data");

    raw.socket.destroy();
  });
});
