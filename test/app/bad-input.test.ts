import { request as httpRequest, type IncomingHttpHeaders } from "node:http";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import type { Client } from "@modelcontextprotocol/client";
import { connect, startTestApp, type RunningApp } from "./running-app.ts";
import { startWeatherApi, type WeatherApi } from "./weather-api.ts";

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

let api: WeatherApi;
let app: RunningApp;
let client: Client;

beforeAll(async () => {
  api = await startWeatherApi();
  app = await startTestApp(api.environment);
  client = await connect(app.endpoint, "2026");
});

afterAll(async () => {
  await client.close();
  await app.close();
  await api.close();
});

/** Sends exactly this, over node:http, since `fetch` does not let a test set Host. */
function send(
  body: string | Buffer,
  headers: Record<string, string> = {},
  path = "/mcp",
  method = "POST",
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      {
        host: "127.0.0.1",
        port: app.mcpPort,
        path,
        method,
        headers: { "content-type": "application/json", accept: "application/json, text/event-stream", ...headers },
      },
      (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (chunk: string) => (text += chunk));
        response.on("end", () => {
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text });
        });
      },
    );
    request.on("error", reject);
    request.end(body);
  });
}

const call = (name: string, args: unknown) =>
  JSON.stringify({ jsonrpc: "2.0", id: 7, method: "tools/call", params: { name, arguments: args } });

const error = (answer: Answer) =>
  (JSON.parse(answer.text) as { error: { code: number; message: string }; id: unknown }).error;

async function expectAlive(): Promise<void> {
  expect((await client.callTool({ name: "simple_health", arguments: {} })).structuredContent).toEqual({ status: "ok" });
}

describe("bad input to the app", () => {
  it("answers an unknown city with a tool error that says what to try, and counts no failure", async () => {
    const result = await client.callTool({ name: "get_weather_with_fallback", arguments: { city: "Atlantis" } });

    expect(result.isError).toBe(true);
    expect(result.content).toEqual([
      { type: "text", text: expect.stringMatching(/No city named 'Atlantis'.*spelling/) },
    ]);
    const stats = await client.readResource({ uri: "circuit-breaker://stats" });
    expect(JSON.stringify(stats.contents)).toContain(String.raw`\"failures\":0`);
    await expectAlive();
  });

  it.each(["", "   "])("answers an empty city (%j) with what is wrong and an example", async (city) => {
    const result = await client.callTool({ name: "get_weather_with_fallback", arguments: { city } });

    expect(result.isError).toBe(true);
    expect(JSON.stringify(result.content)).toContain("city: must not be empty: name a city, such as 'Berlin'");
    await expectAlive();
  });

  it("answers arguments of the wrong type by naming the argument", async () => {
    const result = await client.callTool({ name: "get_weather_with_fallback", arguments: { city: 42 } });

    expect(result.isError).toBe(true);
    expect(JSON.stringify(result.content)).toContain("city: must be the name of a city, such as 'Berlin'");
    await expectAlive();
  });

  it.each([
    [
      "thousands of arguments that there are none of",
      `{${Array.from({ length: 50_000 }, (_, n) => `"a${n}":1`).join()}}`,
    ],
    ["an argument with an endless name", `{"city":"Berlin","${"x".repeat(900_000)}":1}`],
  ])("answers %s without repeating them all", async (_what, args) => {
    const params = `{"name":"get_weather_with_fallback","arguments":${args}}`;
    const answer = await send(`{"jsonrpc":"2.0","id":7,"method":"tools/call","params":${params}}`);

    expect(answer.text).toContain("there is no argument '");
    expect(answer.text.length).toBeLessThan(1000);
  });

  it("answers a header with an endless name without repeating it", async () => {
    const args = { url: "https://a.example", headers: { ["x".repeat(900_000)]: 1 } };
    const answer = await send(call("resilient_api_call", args));

    expect(answer.text).toContain(": must be a text");
    expect(answer.text.length).toBeLessThan(1000);
  });

  it("answers an unknown tool with a JSON-RPC error that names it", async () => {
    await expect(client.callTool({ name: "no_such_tool", arguments: {} })).rejects.toMatchObject({
      code: -32602,
      message: expect.stringContaining("no_such_tool"),
    });
    await expectAlive();
  });

  it("refuses a 10 MB body with 413, and keeps the connection's sender able to read it", async () => {
    const answer = await send(call("get_weather_with_fallback", { city: "x".repeat(10_000_000) }));

    expect(answer.status).toBe(413);
    expect(error(answer).message).toBe("Request too large: the body may be at most 1048576 bytes");
    await expectAlive();
  });

  it("refuses a 10 MB body that comes in chunks without announcing its size", async () => {
    const answer = await send(Buffer.alloc(10_000_000, " "), { "transfer-encoding": "chunked" });

    expect(answer.status).toBe(413);
    await expectAlive();
  });

  it.each([
    ["broken off", '{"jsonrpc":"2.0",'],
    ["nothing", ""],
    ["not JSON", "city=Berlin"],
  ])("answers malformed JSON (%s) with a parse error", async (_what, body) => {
    const answer = await send(body);

    expect(answer.status).toBe(400);
    expect(error(answer)).toEqual({ code: -32700, message: "Parse error: the request body is not valid JSON" });
    await expectAlive();
  });

  it.each([
    ["a number", "42"],
    ["no version", '{"id":1,"method":"ping"}'],
    ["a method that is no string", '{"jsonrpc":"2.0","id":1,"method":5}'],
    ["an empty batch", "[]"],
  ])("answers JSON that is no JSON-RPC (%s) with an error", async (_what, body) => {
    const answer = await send(body);

    expect(answer.status).toBe(400);
    expect(error(answer).code).toBeLessThan(0);
    await expectAlive();
  });

  it.each([
    ["arrays", "[".repeat(100_000)],
    ["objects", '{"a":'.repeat(100_000)],
  ])("refuses JSON nested 100,000 levels deep (%s) before it is parsed", async (_what, body) => {
    const answer = await send(body);

    expect(answer.status).toBe(400);
    expect(error(answer)).toEqual({ code: -32600, message: "Invalid request: JSON nested deeper than 64 levels" });
    await expectAlive();
  });

  it("does not take brackets inside strings for nesting", async () => {
    const answer = await send(call("get_weather_with_fallback", { city: String.raw`"[{`.repeat(33) }));

    expect(answer.status).toBe(200);
    expect(answer.text).toContain("No city named");
  });

  it.each(["gzip", "br", "zstd", "gzip, gzip"])(
    "refuses a compressed body (%s) with 415, unpacking nothing",
    async (encoding) => {
      const answer = await send(gzipSync(call("simple_health", {})), { "content-encoding": encoding });

      expect(answer.status).toBe(415);
      expect(answer.headers).toMatchObject({ "accept-encoding": "identity" });
      expect(error(answer).message).toBe(`Unsupported Media Type: send the body as it is, not as '${encoding}'`);
      await expectAlive();
    },
  );

  it("refuses a body that is not UTF-8, rather than reading what nobody wrote", async () => {
    const answer = await send(Buffer.from(call("get_weather_with_fallback", { city: "Z\xfcrich" }), "latin1"));

    expect(answer.status).toBe(400);
    expect(error(answer)).toEqual({ code: -32700, message: "Parse error: the request body is not valid UTF-8" });
  });

  it.each([
    ["an id", { jsonrpc: "2.0", id: "x".repeat(1025), method: "ping" }],
    [
      "a progress token",
      { jsonrpc: "2.0", id: 1, method: "ping", params: { _meta: { progressToken: "x".repeat(1025) } } },
    ],
  ])("refuses %s above 1024 characters, which every message of an answer would repeat", async (name, message) => {
    for (const body of [message, [{ ...message, id: 2, params: {} }, message]]) {
      const answer = await send(JSON.stringify(body));

      expect(answer.status).toBe(400);
      expect(error(answer).message).toBe(`Invalid request: ${name} may have at most 1024 characters`);
    }
  });

  it("refuses a batch in which two requests have the same id, of which one would wait for good", async () => {
    const answer = await send(`[${call("simple_health", {})},${call("health_check", {})}]`);

    expect(answer.status).toBe(400);
    expect(error(answer).message).toBe("Invalid request: two requests of a batch have the same id");
    await expectAlive();
  });

  it("lets no argument reach the prototype of anything", async () => {
    const pollution = `"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}`;
    const args = `{"city":"Berlin",${pollution}}`;
    for (const name of ["get_weather_with_fallback", "simple_health", "__proto__", "constructor"]) {
      const params = `{"name":"${name}","arguments":${args},"_meta":{${pollution}},${pollution}}`;
      const answer = await send(`{"jsonrpc":"2.0","id":7,"method":"tools/call","params":${params},${pollution}}`);

      expect(answer.text).toMatch(/"id":7/);
      expect(answer.text).not.toContain("polluted");
    }
    expect({}).not.toHaveProperty("polluted");
    await expectAlive();
  });

  it("refuses thousands of headers with 431", async () => {
    const headers = Object.fromEntries(Array.from({ length: 3000 }, (_, index) => [`x-${index}`, "1"]));

    expect((await send(call("simple_health", {}), headers)).status).toBe(431);
    await expectAlive();
  });

  it("refuses a wrong Host with 403, naming the setting that decides", async () => {
    const answer = await send(call("simple_health", {}), { host: "evil.example" });

    expect(answer.status).toBe(403);
    expect(error(answer).message).toMatch(/evil\.example.*ALLOWED_HOSTS/);
    await expectAlive();
  });

  it("refuses a wrong Origin with 403, naming the setting that decides", async () => {
    const answer = await send(call("simple_health", {}), { origin: "https://evil.example" });

    expect(answer.status).toBe(403);
    expect(error(answer).message).toMatch(/evil\.example.*ALLOWED_ORIGINS/);
    await expectAlive();
  });

  it("answers another path by naming the endpoint", async () => {
    const answer = await send("", {}, "/", "GET");

    expect(answer.status).toBe(404);
    expect(error(answer).message).toBe("Not found: the MCP endpoint is POST /mcp");
  });

  it.each(["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE", "PROPFIND"])(
    "answers %s by naming the method that there is",
    async (method) => {
      const answer = await send("", {}, "/mcp", method);

      expect(answer.status).toBe(405);
      expect(answer.headers).toMatchObject({ allow: "POST", "x-mcp-color": "green" });
      await expectAlive();
    },
  );

  it("says color and version with every answer, refusals as well", async () => {
    const answers = [
      await send(call("simple_health", {})),
      await send("{"),
      await send("", {}, "/", "GET"),
      await send("", {}, "/mcp", "GET"),
      await send("", { host: "evil.example" }),
      await send("", { "x-too-long": "x".repeat(20_000) }),
      await send(call("simple_health", {}), { expect: "something" }),
    ];

    expect(answers.map(({ status }) => status)).toEqual([200, 400, 404, 405, 403, 431, 200]);
    for (const { headers } of answers) {
      expect(headers).toMatchObject({ "x-mcp-color": "green", "x-mcp-version": "1.2.3" });
    }
  });

  it("accepts the hosts and origins that are allowed", async () => {
    const other = await startTestApp({ ALLOWED_HOSTS: "MCP.example", ALLOWED_ORIGINS: "app.example" });
    const response = await new Promise<number | undefined>((resolve, reject) => {
      const headers = { host: "mcp.example:443", origin: "https://app.example", "content-type": "application/json" };
      const options = { host: "127.0.0.1", port: other.mcpPort, path: "/mcp", method: "POST", headers };
      httpRequest({ ...options, headers: { ...headers, accept: "application/json, text/event-stream" } }, (answer) => {
        answer.resume();
        resolve(answer.statusCode);
      })
        .on("error", reject)
        .end(call("simple_health", {}));
    });
    await other.close();

    expect(response).toBe(200);
  });
});
