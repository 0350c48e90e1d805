import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { startTestApp, type RunningApp } from "../running-app.ts";
import { call, openRaw, post } from "./raw-connection.ts";

let app: RunningApp;

beforeAll(async () => {
  app = await startTestApp({ KEEP_ALIVE_TIMEOUT: "5s" });
});

afterAll(async () => {
  await app.close();
});

const BODY = call("simple_health");
const MCP = [
  "content-type: application/json",
  "accept: application/json, text/event-stream",
  `content-length: ${BODY.length}`,
];

/** A call in exactly these lines, with this body. */
const request = (first: string, headers: readonly string[], body = BODY) =>
  `${[first, ...headers].join("\r\n")}\r\n\r\n${body}`;

interface Answers {
  readonly text: string;
  readonly statuses: readonly number[];
}

/** All that a connection is answered until the server closes it. */
async function answers(port: number, bytes: string | Buffer): Promise<Answers> {
  const raw = await openRaw(port);
  raw.socket.write(bytes);
  await raw.closed;
  return { text: raw.received, statuses: statusesOf(raw.received) };
}

/** The answers on a connection that stays open, until there are so many. */
async function answersOpen(port: number, bytes: string | Buffer, count: number): Promise<Answers> {
  const raw = await openRaw(port);
  raw.socket.write(bytes);
  while (statusesOf(raw.received).length < count && !raw.socket.destroyed) await raw.more();
  const { destroyed } = raw.socket;
  raw.socket.destroy();
  expect(destroyed).toBe(false);
  return { text: raw.received, statuses: statusesOf(raw.received) };
}

const statusesOf = (text: string) => Array.from(text.matchAll(/HTTP\/1\.1 (\d+) /g), ([, status]) => Number(status));

const CLOSE = "connection: close";

describe("the host of a request (RFC 9112, 3.2)", () => {
  it.each([
    ["no Host", ["x: y"]],
    ["two of them", ["host: localhost", "host: localhost"]],
    ["two different ones", ["host: localhost", "host: evil.example"]],
    ["an empty one", ["host:"]],
    ["a user in it", ["host: user@localhost"]],
    ["a path in it", ["host: localhost/mcp"]],
    ["a list", ["host: localhost, evil.example"]],
  ])("is refused with 400 on both ports when there is %s", async (_, host) => {
    expect((await answers(app.mcpPort, request("POST /mcp HTTP/1.1", [...host, CLOSE, ...MCP]))).statuses).toEqual([
      400,
    ]);
    expect((await answers(app.adminPort, request("GET /readyz HTTP/1.1", [...host, CLOSE], ""))).statuses).toEqual([
      400,
    ]);
  });

  it.each(["localhost", "LOCALHOST:80", "127.0.0.1:1", "[::1]", "[::1]:8080"])("may be %s", async (host) => {
    const { text } = await answers(app.mcpPort, request("POST /mcp HTTP/1.1", [`host: ${host}`, CLOSE, ...MCP]));

    expect(text).toContain('"text":"ok"');
  });

  it("may be absent from HTTP/1.0, which has no such header", async () => {
    expect((await answers(app.adminPort, "GET /readyz HTTP/1.0\r\n\r\n")).statuses).toEqual([200]);
  });
});

describe("the target of a request (RFC 9112, 3.2.1 to 3.2.4)", () => {
  it.each([
    ["http://localhost/mcp", "evil.example", 200],
    ["HTTP://LocalHost:8080/mcp?x=1", "localhost", 200],
    ["https://localhost/mcp", "localhost", 200],
    ["http://evil.example/mcp", "localhost", 403],
    ["http://localhost/other", "localhost", 404],
    ["http://localhost", "localhost", 404],
    ["http://user@localhost/mcp", "localhost", 400],
    ["http:///mcp", "localhost", 400],
    ["mcp", "localhost", 400],
    ["*", "localhost", 400],
    ["/mcp?a=http://evil.example", "localhost", 200],
  ])("%j with Host %j is answered with %j", async (target, host, status) => {
    const bytes = request(`POST ${target} HTTP/1.1`, [`host: ${host}`, CLOSE, ...MCP]);

    expect((await answers(app.mcpPort, bytes)).statuses).toEqual([status]);
  });

  it.each([9000, 20_000])("may not have %d bytes", async (length) => {
    const bytes = request(`POST /mcp?${"x".repeat(length)} HTTP/1.1`, ["host: localhost", CLOSE, ...MCP]);

    expect((await answers(app.mcpPort, bytes)).statuses).toEqual([414]);
  });

  it("may be a URL on the admin port, too", async () => {
    const bytes = request("GET http://pod.example/readyz?verbose HTTP/1.1", ["host: other.example", CLOSE], "");

    expect((await answers(app.adminPort, bytes)).statuses).toEqual([200]);
  });

  it.each([
    ["CONNECT localhost:80", 501],
    ["OPTIONS *", 404],
  ])("is answered also for %s", async (start, status) => {
    const bytes = request(`${start} HTTP/1.1`, ["host: localhost", CLOSE], "");

    expect((await answers(app.mcpPort, bytes)).statuses).toEqual([status]);
  });
});

describe("framing that two readers could understand differently (RFC 9112, 5 and 6)", () => {
  const chunked = `${BODY.length.toString(16)}\r\n${BODY}\r\n0\r\n\r\n`;
  const BARE = MCP.slice(0, 2);

  it.each([
    ["Content-Length and Transfer-Encoding", [...MCP, "transfer-encoding: chunked"], chunked, 400],
    ["two lengths", [...MCP, "content-length: 5"], BODY, 400],
    ["a length with a sign", [...BARE, `content-length: +${BODY.length}`], BODY, 400],
    ["a list of lengths", [...BARE, `content-length: ${BODY.length}, 5`], BODY, 400],
    ["a space before the colon", [...MCP, "x : y"], BODY, 400],
    ["a folded header", [...MCP, "x: y\r\n z"], BODY, 400],
    ["a space before the first header", [" x: y", ...MCP], BODY, 400],
    ["a bare CR in a header", [...MCP, "x: y\rz"], BODY, 400],
    ["a NUL in a header", [...MCP, "x: y\0z"], BODY, 400],
    ["chunked, then another coding", [...BARE, "transfer-encoding: chunked, gzip"], chunked, 400],
    ["another coding, then chunked", [...BARE, "transfer-encoding: gzip, chunked"], chunked, 501],
    ["chunked twice", [...BARE, "transfer-encoding: chunked, chunked"], chunked, 400],
    ["a chunk that is longer than it says", [...BARE, "transfer-encoding: chunked"], `1\r\n${BODY}\r\n0\r\n\r\n`, 400],
    ["an endless chunk size", [...BARE, "transfer-encoding: chunked"], `${"f".repeat(40)}\r\n${BODY}`, 400],
  ])("is refused: %s", async (_, headers, body, status) => {
    const smuggled = request("POST /mcp HTTP/1.1", ["host: localhost", ...MCP]);
    const { text, statuses } = await answers(
      app.mcpPort,
      request("POST /mcp HTTP/1.1", ["host: localhost", ...(status === 400 ? [] : [CLOSE]), ...headers], body) +
        smuggled,
    );

    expect(statuses).toEqual([status]);
    expect(text).toMatch(/^connection: close\r$/im);
    expect(text).toMatch(/^date: \w+, \d+ \w+ \d+ [\d:]+ GMT\r$/im);
  });

  it("is refused in HTTP/1.0 with a transfer coding, and ends the connection", async () => {
    const headers = ["host: localhost", "connection: keep-alive", ...BARE, "transfer-encoding: chunked"];

    expect((await answers(app.mcpPort, request("POST /mcp HTTP/1.0", headers, chunked))).statuses).toEqual([400]);
  });

  it("is not in doubt with chunk extensions, trailers, another case, or an empty line before the request", async () => {
    const body = `${BODY.length.toString(16)};x=y;z="a b"\r\n${BODY}\r\n0\r\nx-trailer: 1\r\n\r\n`;
    const headers = ["HOST: localhost", CLOSE, ...BARE, "Transfer-Encoding: Chunked"];
    const { text } = await answers(app.mcpPort, `\r\n${request("POST /mcp HTTP/1.1", headers, body)}`);

    expect(text).toContain('"text":"ok"');
  });

  it.each(["identity", "", "IDENTITY", ", identity"])("takes Content-Encoding '%s' for none", async (coding) => {
    const bytes = request("POST /mcp HTTP/1.1", ["host: localhost", CLOSE, `content-encoding: ${coding}`, ...MCP]);

    expect((await answers(app.mcpPort, bytes)).text).toContain('"text":"ok"');
  });
});

describe("the end of a connection (RFC 9112, 9)", () => {
  it.each(["1.0", "1.1"])("follows a stream of events to a client of HTTP/%s that asked for it", async (version) => {
    const bytes = request(`POST /mcp HTTP/${version}`, ["host: localhost", CLOSE, ...MCP]);
    const { text } = await answers(app.mcpPort, bytes);

    expect(text).toMatch(/^content-type: text\/event-stream/im);
    expect(text.match(/^connection: .*$/gim)).toEqual(["connection: close"]);
    expect(text).not.toMatch(/^keep-alive:/im);
    if (version === "1.0") expect(text).not.toMatch(/^transfer-encoding:/im);
  });

  it("is not announced otherwise, and what Keep-Alive says is listed in Connection", async () => {
    const { text } = await answersOpen(app.mcpPort, post(BODY), 1);

    expect(text.match(/^(connection|keep-alive): .*$/gim)).toEqual(["keep-alive: timeout=5", "Connection: keep-alive"]);
  });

  it("comes before requests that follow the one that asked for it", async () => {
    const { statuses } = await answers(app.mcpPort, Buffer.concat([post(BODY, { connection: "close" }), post(BODY)]));

    expect(statuses).toEqual([200]);
  });

  it("comes with the newest of several requests when the connection is too old, so that all are answered", async () => {
    const old = await startTestApp({ CONNECTION_MAX_AGE: "0ms" });
    const { text, statuses } = await answers(old.mcpPort, Buffer.concat([1, 2, 3].map(() => post(BODY))));

    expect(statuses).toEqual([200, 200, 200]);
    expect(text.match(/^connection: close/gim)).toHaveLength(1);
    await old.close();
  });

  it("waits for the answer to a request that broken bytes follow, and nothing is written into it", async () => {
    const slow = await startTestApp(
      {},
      {
        tools: (tools) =>
          tools.map((tool) => ({
            ...tool,
            handle: async (args, context) => (await asked, tool.handle(args, context)),
          })),
      },
    );
    const { promise: asked, resolve } = Promise.withResolvers<undefined>();
    const raw = await openRaw(slow.mcpPort);
    raw.socket.write(Buffer.concat([post(BODY), Buffer.from("this is not HTTP\r\n\r\n")]));
    // Whatever the server writes for the broken bytes, it writes when it reads them: with the
    // answer to the next connection, at the latest.
    await (await fetch(`${slow.admin}/readyz`)).text();
    expect(raw.received).not.toContain("400");
    resolve(undefined);
    await raw.closed;

    expect(statusesOf(raw.received)).toEqual([200, 400]);
    expect(raw.received.indexOf('"text":"ok"')).toBeLessThan(raw.received.indexOf("HTTP/1.1 400"));
    await slow.close();
  });
});

describe("a refusal", () => {
  const big = "x".repeat(300_000);
  const length = `content-length: ${big.length}`;

  it.each([
    ["404", "POST /other HTTP/1.1", ["host: localhost"]],
    ["403", "POST /mcp HTTP/1.1", ["host: evil.example"]],
    ["405", "PUT /mcp HTTP/1.1", ["host: localhost"]],
    ["415", "POST /mcp HTTP/1.1", ["host: localhost", "content-encoding: gzip"]],
  ])("(%j) comes after the body was read, and the connection stays open", async (status, first, headers) => {
    const raw = await openRaw(app.mcpPort);
    raw.socket.write(request(first, [...headers, length], big.slice(1)));
    // The last byte comes late; an answer before it would not count as one to the whole.
    await (await fetch(`${app.admin}/readyz`)).text();
    expect(raw.received).toBe("");
    raw.socket.write("x");
    await raw.until("HTTP/1.1");
    raw.socket.write(post(BODY));
    await raw.until('"text":"ok"');

    expect(statusesOf(raw.received)).toEqual([Number(status), 200]);
    raw.socket.destroy();
  });

  it("comes after the body was read on the admin port, too", async () => {
    const { statuses } = await answersOpen(
      app.adminPort,
      request("POST /readyz HTTP/1.1", ["host: localhost", length], big) +
        request("GET /readyz HTTP/1.1", ["host: localhost"], ""),
      2,
    );

    expect(statuses).toEqual([405, 200]);
  });

  it("comes before the body where a client waits for permission to send it, and ends the connection", async () => {
    const headers = ["host: localhost", "expect: 100-continue", length];
    const { text, statuses } = await answers(app.mcpPort, request("POST /other HTTP/1.1", headers, ""));

    expect(statuses).toEqual([404]);
    expect(text).toMatch(/^connection: close/im);
  });

  it("does not happen when a client waits for permission: it gets it, and then its answer", async () => {
    const raw = await openRaw(app.mcpPort);
    raw.socket.write(request("POST /mcp HTTP/1.1", ["host: localhost", "expect: 100-continue", ...MCP], ""));
    await raw.until("HTTP/1.1 100 Continue\r\n\r\n");
    raw.socket.write(BODY);
    await raw.until('"text":"ok"');

    expect(statusesOf(raw.received)).toEqual([100, 200]);
    raw.socket.destroy();
  });

  it("of a client of HTTP/1.0 pays no attention to its expectation", async () => {
    const headers = ["host: localhost", "expect: 100-continue", ...MCP];

    expect((await answers(app.mcpPort, request("POST /mcp HTTP/1.0", headers))).statuses).toEqual([200]);
  });

  it("of a method says on both ports which ones there are", async () => {
    for (const [port, path, allow] of [
      [app.mcpPort, "/mcp", "POST"],
      [app.adminPort, "/readyz", "GET, HEAD"],
    ] as const) {
      const { text } = await answers(port, request(`DELETE ${path} HTTP/1.1`, ["host: localhost", CLOSE], ""));
      expect(text).toMatch(/^HTTP\/1\.1 405 /);
      expect(text).toMatch(new RegExp(`^allow: ${allow}\r$`, "m"));
    }
  });

  it("of HEAD has no content", async () => {
    const { text } = await answers(app.mcpPort, request("HEAD /mcp HTTP/1.1", ["host: localhost", CLOSE], ""));

    expect(text).toMatch(/^HTTP\/1\.1 405 /);
    expect(text.split("\r\n\r\n")[1]).toBe("");
  });
});

describe("a client that takes anything (RFC 9110, 12.5.1)", () => {
  const [type = "", , length = ""] = MCP;

  it.each([
    [["accept: */*"], 200],
    [[], 200],
    [["accept: Text/*", "accept: application/JSON"], 200],
    [["accept: */*, text/event-stream;q=0"], 406],
  ])("is answered by what %j admits", async (accept, status) => {
    const bytes = request("POST /mcp HTTP/1.1", ["host: localhost", CLOSE, type, length, ...accept]);

    expect((await answers(app.mcpPort, bytes)).statuses).toEqual([status]);
  });
});

describe("an upgrade to another protocol (RFC 9110, 7.8)", () => {
  it("is ignored, and the request answered", async () => {
    const headers = ["host: localhost", "connection: upgrade", "upgrade: h2c", ...MCP];
    const { statuses } = await answersOpen(app.mcpPort, request("POST /mcp HTTP/1.1", headers), 1);

    expect(statuses).toEqual([200]);
  });
});
