import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { Agent } from "node:http";
import type { Socket } from "node:net";
import { setImmediate as turn, setTimeout as sleep } from "node:timers/promises";
import type { ServerNotifier } from "@modelcontextprotocol/server";
import { afterAll, afterEach, describe, expect, it } from "@jest/globals";
import { answer } from "../../../app/src/tools/tool.ts";
import { killProcesses, startProcess } from "../app-process.ts";
import { overHttp } from "../over-http.ts";
import { connect, startTestApp } from "../running-app.ts";
import { call, openRaw, post, type RawConnection } from "./raw-connection.ts";

afterAll(killProcesses);

const opened: RawConnection[] = [];

afterEach(() => {
  for (const { socket } of opened.splice(0)) socket.destroy();
});

async function open(port: number, localAddress?: string): Promise<RawConnection> {
  const raw = await openRaw(port, localAddress);
  opened.push(raw);
  return raw;
}

/** Milliseconds until a new connection has the answer to a call. */
async function timeOfACall(port: number): Promise<number> {
  const start = performance.now();
  const raw = await openRaw(port);
  raw.socket.write(post(call("simple_health")));
  await Promise.race([raw.until('"text":"ok"'), raw.closed]);
  raw.socket.destroy();
  return raw.received.includes('"text":"ok"') ? performance.now() - start : Infinity;
}

describe("a client that opens too many connections", () => {
  it("has those closed over which it never asked anything, oldest first, and others get in", async () => {
    const app = await startTestApp({ MAX_CONNECTIONS: "3", KEEP_ALIVE_TIMEOUT: "5s" });
    const [asked, oldest, newer] = [await open(app.mcpPort), await open(app.mcpPort), await open(app.mcpPort)];
    asked.socket.write(post(call("simple_health")));
    await asked.until('"text":"ok"');

    expect(await timeOfACall(app.mcpPort)).toBeLessThan(Infinity);
    await oldest.closed;
    asked.socket.write(post(call("simple_health", 2)));
    await asked.until('"id":2');
    expect(newer.socket.destroyed).toBe(false);
    for (const { socket } of opened) socket.destroy();
    await app.close();
  });

  it("gets no more of them while all of its own are of use", async () => {
    const app = await startTestApp({ MAX_CONNECTIONS: "2", KEEP_ALIVE_TIMEOUT: "5s" });
    for (const raw of [await open(app.mcpPort), await open(app.mcpPort)]) {
      raw.socket.write(post(call("simple_health")));
      await raw.until('"text":"ok"');
    }

    expect(await timeOfACall(app.mcpPort)).toBe(Infinity);
    for (const { socket } of opened) expect(socket.destroyed).toBe(false);
    for (const { socket } of opened) socket.destroy();
    await app.close();
  });

  it("loses an idle one to a client at another address", async () => {
    const app = await startTestApp({ MAX_CONNECTIONS: "2", KEEP_ALIVE_TIMEOUT: "5s" });
    for (const raw of [await open(app.mcpPort, "127.0.0.2"), await open(app.mcpPort, "127.0.0.2")]) {
      raw.socket.write(post(call("simple_health")));
      await raw.until('"text":"ok"');
    }

    expect(await timeOfACall(app.mcpPort)).toBeLessThan(Infinity);
    for (const { socket } of opened) socket.destroy();
    await app.close();
  });

  it("loses those on which it never finishes a request", async () => {
    const app = await startTestApp({ MAX_CONNECTIONS: "2" });
    const unfinished = post(call("simple_health")).subarray(0, -1);
    for (const raw of [await open(app.mcpPort), await open(app.mcpPort)]) raw.socket.write(unfinished);
    while (!/^mcp_server_busy_connections 2$/m.test(await (await fetch(`${app.admin}/metrics`)).text())) continue;

    let time = Infinity;
    while (time === Infinity) {
      time = await timeOfACall(app.mcpPort);
      await sleep(10);
    }
    for (const { socket } of opened) socket.destroy();
    await app.close();
  });

  const CONNECTIONS = 10_000;
  const files = Number(/Max open files +(\d+)/.exec(readFileSync("/proc/self/limits", "utf8"))?.[1]);
  const isAllowed = files > CONNECTIONS + 1000;
  const itIfAllowed = isAllowed ? it : it.skip;

  itIfAllowed(
    `may hold ten thousand at some kilobytes each; calls stay quick, and all are closed when nothing comes${isAllowed ? "" : ` (skipped: needs ulimit -n above ${CONNECTIONS + 1000}, not ${files})`}`,
    async () => {
      const { process: app, mcpPort } = await startProcess({
        MAX_CONNECTIONS: String(2 * CONNECTIONS),
        LOG_LEVEL: "warn",
      });
      for (let warmUp = 0; warmUp < 100; warmUp += 1) await timeOfACall(mcpPort);
      const before = await residentBytes(app.pid);
      // Four addresses, since one has too few ports where others have just used some.
      for (let index = 0; index < CONNECTIONS; index += 500) {
        await Promise.all(Array.from({ length: 500 }, () => open(mcpPort, `127.0.0.${2 + (index % 4)}`)));
      }
      const allOpen = performance.now();
      const times: number[] = [];
      for (let probe = 0; probe < 20; probe += 1) times.push(await timeOfACall(mcpPort));
      const after = await residentBytes(app.pid);

      // The median, since one of them may meet something else that the machine does.
      expect(times.sort((a, b) => a - b)[10]).toBeLessThan(1000);
      expect(times).not.toContain(Infinity);
      expect((after - before) / CONNECTIONS).toBeLessThan(30_000);
      await Promise.all(opened.map(({ closed }) => closed));
      // Ten seconds for their headers, and what it takes to tell all of them.
      expect(performance.now() - allOpen).toBeLessThan(30_000);
      expect(opened.filter(({ received }) => received.startsWith("HTTP/1.1 408 "))).toHaveLength(CONNECTIONS);
      app.kill("SIGTERM");
    },
    60_000,
  );

  /** Linux's own figure: the pages that are in memory. */
  const residentBytes = async (pid = 0) =>
    Number(/VmRSS:\s+(\d+) kB/.exec(await readFile(`/proc/${pid}/status`, "utf8"))?.[1]) * 1024;
});

describe("a client that sends requests without waiting for answers", () => {
  it("gets them in order", async () => {
    const app = await startTestApp({ ADMISSION_TIME: "0s" });
    const raw = await open(app.mcpPort);
    const ids = Array.from({ length: 50 }, (_, index) => index);
    raw.socket.write(Buffer.concat(ids.map((id) => post(call("simple_health", id)))));
    await raw.until('"id":49');

    expect(Array.from(raw.received.matchAll(/"id":(\d+)/g), ([, id]) => Number(id))).toEqual(ids);
    raw.socket.destroy();
    await app.close();
  });

  it("is cut off when thousands of them are under way at once, and nobody else notices", async () => {
    const app = await startTestApp();
    const raw = await open(app.mcpPort);
    // Without a body, which would be waited for before the next request is looked at.
    raw.socket.write("GET /mcp HTTP/1.1\r\nhost: localhost\r\n\r\n".repeat(5000));
    const others = timeOfACall(app.mcpPort);
    await raw.closed;

    expect(await others).toBeLessThan(5000);
    expect(raw.received.match(/HTTP\/1\.1/g)?.length ?? 0).toBeLessThan(5000);
    await app.close();
  });
});

describe("a client that sends requests behind a stream, where none can ever be answered", () => {
  const envelope = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientInfo": { name: "greedy", version: "1.0.0" },
    "io.modelcontextprotocol/clientCapabilities": {},
  };
  const params = { _meta: envelope, notifications: { toolsListChanged: true } };
  const listen = post(JSON.stringify({ jsonrpc: "2.0", id: 1, method: "subscriptions/listen", params }), {
    "mcp-protocol-version": "2026-07-28",
    "mcp-method": "subscriptions/listen",
  });

  it.each([
    ["at once", Buffer.concat(Array.from({ length: 300 }, () => listen)), Buffer.alloc(0)],
    ["later", listen, listen],
    ["that is no stream", listen, post(call("simple_health"))],
  ])("(%s) is cut off, streams and all", async (_, first, then) => {
    const app = await startTestApp();
    const raw = await open(app.mcpPort);
    raw.socket.write(first);
    if (then.length > 0) {
      await raw.until("notifications/subscriptions/acknowledged");
      raw.socket.write(then);
    }
    await raw.closed;

    expect(await (await fetch(`${app.admin}/metrics`)).text()).toContain("\nmcp_server_listen_streams 0\n");
    await app.close();
  });
});

describe("clients that never read their answers", () => {
  it("lose them, the oldest first, when too many bytes wait", async () => {
    // More than the buffers of the operating system take.
    const text = "x".repeat(24 * 1024 * 1024);
    const app = await startTestApp(
      {},
      { tools: (tools) => tools.map((tool) => ({ ...tool, handle: () => answer({ status: "ok" }, text) })) },
    );
    const clients = [];
    for (let client = 0; client < 4; client += 1) {
      const raw = await open(app.mcpPort);
      raw.socket.pause();
      raw.socket.write(post(call("simple_health")));
      clients.push(raw);
    }
    while (!/^mcp_server_connections [12]$/m.test(await (await fetch(`${app.admin}/metrics`)).text())) continue;
    for (const { socket } of clients) socket.resume();
    await clients[0]?.closed;
    await clients[3]?.until("xxxx");
    while ((clients[3]?.received.length ?? 0) < text.length) await clients[3]?.more();

    expect(clients[0]?.received.length).toBeLessThan(text.length);
    for (const { socket } of opened) socket.destroy();
    await app.close();
  }, 20_000);
});

describe("a client that closes its side of the connection while it waits", () => {
  it("counts as gone: its call is cancelled and nothing of it stays", async () => {
    const { promise: begun, resolve: begin } = Promise.withResolvers<undefined>();
    const { promise: cancelled, resolve: cancel } = Promise.withResolvers<undefined>();
    const app = await startTestApp(
      { DRAIN_TIMEOUT: "10s" },
      {
        tools: (tools) =>
          tools.map((tool) => ({
            ...tool,
            handle(_, { signal }) {
              begin(undefined);
              signal.addEventListener("abort", () => {
                cancel(undefined);
              });
              return new Promise(() => undefined);
            },
          })),
      },
    );
    const raw = await open(app.mcpPort);
    raw.socket.write(post(call("simple_health")));
    await begun;
    raw.socket.end();

    await cancelled;
    await raw.closed;
    expect(await app.close()).toBe(0);
  });
});

describe("a client that opens a stream and never reads it", () => {
  it("is cut off, while one that reads hears of everything", async () => {
    const changes = Promise.withResolvers<ServerNotifier>();
    const app = await startTestApp(
      {},
      {
        register: (_, { notify }) => {
          changes.resolve(notify);
        },
      },
    );
    const agent = new Agent({ keepAlive: true });
    const sockets = new Set<Socket>();
    const [deaf, reader] = [
      await connect(
        app.endpoint,
        "2026",
        overHttp(agent, (socket) => sockets.add(socket)),
      ),
      await connect(app.endpoint, "2026"),
    ];
    let heard = 0;
    reader.setNotificationHandler("notifications/resources/updated", () => {
      heard += 1;
    });
    // Long, so that few of them are many bytes.
    const uri = `test://${"x".repeat(50_000)}`;
    const unheard = await deaf.listen({ resourceSubscriptions: [uri] });
    const stream = await reader.listen({ resourceSubscriptions: [uri] });
    for (const socket of sockets) socket.pause();

    const notify = await changes.promise;
    const CHANGES = 600;
    for (let change = 0; change < CHANGES; change += 1) {
      notify.resourceUpdated(uri);
      await turn();
    }
    while (heard < CHANGES) await sleep(10);
    const before = [...sockets].map(({ bytesRead }) => bytesRead);
    for (const socket of sockets) socket.resume();
    expect(await unheard.closed).not.toBe("graceful");
    const got = [...sockets].reduce((sum, { bytesRead }, index) => sum + bytesRead - (before[index] ?? 0), 0);

    expect(got).toBeLessThan((CHANGES * uri.length) / 2);
    await stream.close();
    await Promise.all([deaf.close(), reader.close()]);
    agent.destroy();
    await app.close();
  });
});
