import { readFile } from "node:fs/promises";
import { afterAll, afterEach, describe, expect, it } from "@jest/globals";
import { BodyBudget } from "../../../app/src/server/body-budget.ts";
import { killProcesses, startProcess } from "../app-process.ts";
import { connect, startTestApp } from "../running-app.ts";
import { call, openRaw, post, type RawConnection } from "./raw-connection.ts";

const MIB = 1024 * 1024;

const opened: RawConnection[] = [];

afterEach(() => {
  for (const { socket } of opened.splice(0)) socket.destroy();
});

afterAll(killProcesses);

async function send(port: number, bytes: Buffer, localAddress?: string): Promise<RawConnection> {
  const raw = await openRaw(port, localAddress);
  opened.push(raw);
  raw.socket.write(bytes);
  return raw;
}

/** A request with a body of this size, and all of it but the last byte. */
const unfinished = (size: number) => post(Buffer.from(call("simple_health").padEnd(size))).subarray(0, -1);

function listen(more: object): Buffer {
  const envelope = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientInfo": { name: "test", version: "1.0.0" },
    "io.modelcontextprotocol/clientCapabilities": {},
  };
  const params = { _meta: envelope, notifications: { toolsListChanged: true }, ...more };
  return post(JSON.stringify({ jsonrpc: "2.0", id: 1, method: "subscriptions/listen", params }), {
    "mcp-protocol-version": "2026-07-28",
    "mcp-method": "subscriptions/listen",
  });
}

async function metric(admin: string, name: string): Promise<number> {
  const text = await (await fetch(`${admin}/metrics`)).text();
  return Number(new RegExp(`^${name.replace(/[{}]/g, "\\$&")} (.+)$`, "m").exec(text)?.[1]);
}

describe("a budget of 4000 bytes, of which one client may hold 2000", () => {
  const sizes = { maxTotalBodyBytes: 4000, maxBodyBytes: 1500 };
  const shares = (budget: BodyBudget, ...clients: readonly string[]) =>
    clients.map((client) => {
      const share = budget.share(client);
      share.take(1000);
      return share;
    });

  it("refuses a third body of 1000 bytes from one client, and accepts it from another", () => {
    const budget = new BodyBudget(sizes);
    shares(budget, "a", "a");

    expect(() => {
      budget.share("a").take(1000);
    }).toThrow("No memory for the request body");
    shares(budget, "b", "b");
    expect(budget.bytes).toBe(4000);
    expect(budget.refused).toBe(1);
  });

  it("takes the bytes of a body that arrives slowly for one that comes later, the oldest first", () => {
    const budget = new BodyBudget({ ...sizes, slowAfter: 0 });
    const held = shares(budget, "a", "a", "b", "b");
    held[0]?.arrived();
    const later = budget.share("c");
    later.take(500);

    expect(held.map(({ signal }) => signal.aborted)).toEqual([false, true, false, false]);
    expect(held[1]?.signal.reason).toMatchObject({ status: 503 });
    expect(budget.bytes).toBe(3500);
    for (const share of [...held, later]) share.release();
    expect(budget.bytes).toBe(0);
  });

  it("takes them from the same client only, where that client has reached its half", () => {
    const budget = new BodyBudget({ ...sizes, slowAfter: 0 });
    const held = shares(budget, "b", "a", "a");
    budget.share("a").take(500);

    expect(held.map(({ signal }) => signal.aborted)).toEqual([false, true, false]);
  });

  it("takes none from a body that has arrived, or is not slow", () => {
    const arrived = new BodyBudget({ ...sizes, slowAfter: 0 });
    for (const share of shares(arrived, "a", "a", "b", "b")) share.arrived();
    const quick = new BodyBudget(sizes);
    shares(quick, "a", "a", "b", "b");

    for (const budget of [arrived, quick])
      expect(() => {
        budget.share("c").take(1);
      }).toThrow("No memory for the request body");
  });
});

describe("the bytes of request bodies that a process holds", () => {
  it("are limited: a request beyond them gets 503, and when to call again", async () => {
    const { promise: mayEnd, resolve: endCalls } = Promise.withResolvers<undefined>();
    const app = await startTestApp(
      { MAX_BODY_BYTES: String(MIB), MAX_TOTAL_BODY_BYTES: String(2 * MIB) },
      {
        tools: (tools) =>
          tools.map((tool) => ({
            ...tool,
            async handle(args, context) {
              await mayEnd;
              return tool.handle(args, context);
            },
          })),
      },
    );
    const body = post(call("simple_health").padEnd(MIB));
    const held = [await send(app.mcpPort, body), await send(app.mcpPort, body, "127.0.0.2")];
    while ((await metric(app.admin, "mcp_server_body_bytes")) < 2 * MIB) continue;

    const beyond = await send(app.mcpPort, post(call("simple_health").padEnd(10_000)));
    await beyond.until("retryAfterMs");
    expect(beyond.received).toMatch(/^HTTP\/1\.1 503 /);
    expect(beyond.received).toMatch(/^retry-after: [12]\r$/m);
    const { error } = JSON.parse(beyond.received.split("\r\n\r\n")[1] ?? "") as {
      error: { code: number; message: string; data: { retryAfterMs: number } };
    };
    expect(error.code).toBe(-32000);
    expect(error.message).toBe(
      `No memory for the request body: nothing was done; call again in ${error.data.retryAfterMs} ms`,
    );
    expect(await metric(app.admin, 'mcp_server_shed_requests_total{reason="memory"}')).toBe(1);
    await expect(connect(app.endpoint, "2026")).rejects.toMatchObject({ data: { status: 503 } });

    endCalls(undefined);
    for (const raw of held) await raw.until('"text":"ok"');
    // The connection that was refused is still open, and what the others held is free again.
    beyond.socket.write(post(call("simple_health")));
    await beyond.until('"text":"ok"');
    expect(await metric(app.admin, "mcp_server_body_bytes")).toBe(0);
    await app.close();
  });

  it("are half for one client at most, so that others can call", async () => {
    const app = await startTestApp({ MAX_BODY_BYTES: "50000", MAX_TOTAL_BODY_BYTES: "400000" });
    const refused = 'mcp_server_shed_requests_total{reason="memory"}';
    for (let body = 0; body < 20; body += 1) await send(app.mcpPort, unfinished(50_000));
    while ((await metric(app.admin, refused)) < 16) continue;
    expect(await metric(app.admin, "mcp_server_body_bytes")).toBeLessThan(200_000);

    const other = await send(app.mcpPort, post(call("simple_health").padEnd(50_000)), "127.0.0.2");
    await other.until('"text":"ok"');
    for (const { socket } of opened) socket.destroy();
    await app.close();
  });

  it("are given back when a stream begins, whose request has a limit of its own", async () => {
    const app = await startTestApp();
    const stream = await send(app.mcpPort, listen({}));
    await stream.until("notifications/subscriptions/acknowledged");
    expect(await metric(app.admin, "mcp_server_body_bytes")).toBe(0);

    const padded = await send(app.mcpPort, listen({ padding: "x".repeat(100_000) }));
    await padded.until("may have at most");
    expect(padded.received).toMatch(/^HTTP\/1\.1 413 /);
    expect(await metric(app.admin, "mcp_server_listen_streams")).toBe(1);
    await app.close();
  });

  it("go from a body that arrives slowly to other requests, and its client is told to call again", async () => {
    const app = await startTestApp({ MAX_BODY_BYTES: String(MIB), MAX_TOTAL_BODY_BYTES: String(MIB) });
    const slow = await send(app.mcpPort, unfinished(MIB));
    // Before its bytes are there, they are in nobody's way.
    while ((await metric(app.admin, "mcp_server_body_bytes")) < MIB - 1) continue;
    let other = "";
    while (!other.includes('"text":"ok"')) {
      const raw = await send(app.mcpPort, post(call("simple_health").padEnd(10_000)));
      await raw.more();
      other = raw.received;
      // One client may hold so many connections.
      raw.socket.destroy();
    }

    await slow.until("retryAfterMs");
    expect(slow.received).toMatch(/^HTTP\/1\.1 503 /);
    await app.close();
  }, 15_000);

  it("are given back when a client goes away in the middle of a body", async () => {
    const app = await startTestApp();
    const raw = await send(app.mcpPort, unfinished(100_000));
    while ((await metric(app.admin, "mcp_server_body_bytes")) < 90_000) continue;
    raw.socket.destroy();

    while ((await metric(app.admin, "mcp_server_body_bytes")) > 0) continue;
    await app.close();
  });

  it("keep the process small when hundreds of clients send a mebibyte each", async () => {
    const { process: app, mcpPort, adminPort } = await startProcess({ LOG_LEVEL: "warn" });
    await (await send(mcpPort, post(call("simple_health")))).until('"text":"ok"');
    const before = await residentBytes(app.pid);
    const CLIENTS = 300;
    await Promise.all(Array.from({ length: CLIENTS }, () => send(mcpPort, unfinished(MIB))));
    const refused = 'mcp_server_shed_requests_total{reason="memory"}';
    while ((await metric(`http://127.0.0.1:${adminPort}`, refused)) < CLIENTS - 8) continue;

    // Buffers of the sockets, and what is not collected yet, are part of it.
    expect((await residentBytes(app.pid)) - before).toBeLessThan(CLIENTS * 0.5 * MIB);
    app.kill("SIGKILL");
  }, 30_000);

  it("are as many in memory when a client sends them in chunks of one byte", async () => {
    const { process: app, mcpPort, adminPort } = await startProcess({ LOG_LEVEL: "warn" });
    await (await send(mcpPort, post(call("simple_health")))).until('"text":"ok"');
    const before = await residentBytes(app.pid);
    const head = "POST /mcp HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n";
    const SIZE = 1_000_000;
    await send(mcpPort, Buffer.from(head + "1\r\n \r\n".repeat(SIZE)));
    while ((await metric(`http://127.0.0.1:${adminPort}`, "mcp_server_body_bytes")) < SIZE) continue;

    expect((await residentBytes(app.pid)) - before).toBeLessThan(100 * MIB);
    app.kill("SIGKILL");
  }, 30_000);

  /** Linux's own figure: the pages that are in memory. */
  const residentBytes = async (pid = 0) =>
    Number(/VmRSS:\s+(\d+) kB/.exec(await readFile(`/proc/${pid}/status`, "utf8"))?.[1]) * 1024;
});
