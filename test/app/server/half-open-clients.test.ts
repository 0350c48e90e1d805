import { once } from "node:events";
import { createMcpHandler, McpServer } from "@modelcontextprotocol/server";
import { afterEach, describe, expect, it } from "@jest/globals";
import { readConfig } from "../../../app/src/config.ts";
import { Admission } from "../../../app/src/server/admission.ts";
import { BodyBudget } from "../../../app/src/server/body-budget.ts";
import { Connections } from "../../../app/src/server/connections.ts";
import { listen } from "../../../app/src/server/listen.ts";
import { createMcpPort, type McpPortOptions } from "../../../app/src/server/mcp-port.ts";
import { HttpError, REFUSED } from "../../../app/src/errors/http-error.ts";
import { createLogger } from "../../../app/src/telemetry/logger.ts";
import { call, openHalf, openRaw, post, type RawConnection } from "./raw-connection.ts";

/** As the app has them, only shorter. */
const TIMEOUTS = { headers: 1000, request: 1000, response: 3000, idle: 500, discard: 200 };

const SLOTS = 3;

const ends: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

async function startPort(
  options: Pick<McpPortOptions, "authorization"> & Partial<McpPortOptions> = { authorization: undefined },
): Promise<[number, Connections]> {
  const config = readConfig({ AUTH_MODE: "off", LOG_LEVEL: "silent" });
  const connections = new Connections({ maxAge: 60_000, keepAliveTimeout: 5000, max: SLOTS });
  const server = createMcpPort({
    config,
    handler: createMcpHandler(() => {
      const mcp = new McpServer({ name: "test", version: "1.0.0" });
      mcp.registerTool("quick", {}, () => ({ content: [{ type: "text", text: "quick" }] }));
      return mcp;
    }),
    connections,
    bodies: new BodyBudget(config),
    admission: new Admission(config.admissionTime),
    logger: createLogger(config).logger,
    timeouts: TIMEOUTS,
    ...options,
  });
  ends.push(async () => {
    connections.destroy();
    await once(server.close(), "close");
  });
  return [await listen(server, "MCP_PORT", 0, "127.0.0.1"), connections];
}

/**
 * As many clients as there are slots, each of which sends this, gets an answer, and never closes
 * its side.
 */
async function occupy(port: number, bytes: Buffer): Promise<readonly RawConnection[]> {
  const clients = await Promise.all(Array.from({ length: SLOTS }, () => openHalf(port)));
  for (const { socket } of clients) {
    socket.write(bytes);
    ends.push(() => Promise.resolve(socket.destroy()));
  }
  await Promise.all(clients.map((client) => client.until("HTTP/1.1 ")));
  return clients;
}

async function expectRoom(port: number): Promise<void> {
  const raw = await openRaw(port);
  raw.socket.write(post(call("quick")));
  await Promise.race([raw.until('"text":"quick"'), raw.closed]);
  raw.socket.destroy();

  expect(raw.received).toContain('"text":"quick"');
}

const whole = post(call("quick"));

describe("clients that hold every slot and never close their side of a connection", () => {
  it.each([
    ["after a part of a body", whole.subarray(0, -1), 408],
    ["after a part of the headers", whole.subarray(0, 40), 408],
    ["after no bytes at all", Buffer.alloc(0), 408],
    ["after bytes that are not HTTP", Buffer.from("this is not HTTP\r\n\r\n"), 400],
    [
      "after headers that are too long",
      Buffer.from(`POST /mcp HTTP/1.1\r\nhost: localhost\r\nx: ${"y".repeat(20_000)}`),
      431,
    ],
    [
      "after a part of a body for another path",
      Buffer.from(whole.toString().replace("/mcp", "/else")).subarray(0, -1),
      404,
    ],
    ["after a part of a body that is too large", post(Buffer.alloc(2_000_000)).subarray(0, -1), 413],
    [
      "after a broken chunk",
      Buffer.from("POST /mcp HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\nx\r\n"),
      400,
    ],
    ["after a request for a tunnel", Buffer.from("CONNECT localhost:1 HTTP/1.1\r\nhost: localhost\r\n\r\n"), 501],
    ["after a call that ends the connection", post(call("quick"), { connection: "close" }), 200],
    ["after a call", whole, 200],
  ])("(%s) are answered and lose their slots", async (_, bytes, status) => {
    const [port, connections] = await startPort();
    const clients = await occupy(port, bytes);
    await connections.none();

    for (const { received } of clients) expect(received).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    await expectRoom(port);
  });

  it("without a token cannot hold them for the time that a request may take", async () => {
    const [port, connections] = await startPort({
      authorization: {
        authenticate: () => Promise.reject(new HttpError(401, REFUSED, "This server needs an access token")),
        metadata: "{}",
        metadataPaths: new Set(),
      },
      timeouts: { ...TIMEOUTS, request: 3_600_000 },
    });
    const clients = await occupy(port, whole.subarray(0, -1));
    await connections.none();

    for (const { received } of clients) expect(received).toMatch(/^HTTP\/1\.1 401 /);
  });
});
