import { readFile } from "node:fs/promises";
import { afterAll, afterEach, describe, expect, it } from "@jest/globals";
import { killProcesses, startProcess } from "../app-process.ts";
import { connect, startTestApp } from "../running-app.ts";
import { call, openRaw, post, type RawConnection } from "./raw-connection.ts";

const MIB = 1024 * 1024;

const opened: RawConnection[] = [];

afterEach(() => {
  for (const { socket } of opened.splice(0)) socket.destroy();
});

afterAll(killProcesses);

async function send(port: number, bytes: Buffer): Promise<RawConnection> {
  const raw = await openRaw(port);
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

describe("the bytes of request bodies that a process holds", () => {
  it("are limited: a request beyond them gets 503, and when to call again", async () => {
    const app = await startTestApp({ MAX_BODY_BYTES: String(MIB), MAX_TOTAL_BODY_BYTES: String(2 * MIB) });
    const held = [await send(app.mcpPort, unfinished(MIB)), await send(app.mcpPort, unfinished(MIB))];
    while ((await metric(app.admin, "mcp_server_body_bytes")) < 2 * MIB - 2) continue;

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

    for (const { socket } of held) socket.write(" ");
    for (const raw of held) await raw.until('"text":"ok"');
    // The connection that was refused is still open, and what the others held is free again.
    beyond.socket.write(post(call("simple_health")));
    await beyond.until('"text":"ok"');
    expect(await metric(app.admin, "mcp_server_body_bytes")).toBe(0);
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

    expect((await residentBytes(app.pid)) - before).toBeLessThan(100 * MIB);
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
