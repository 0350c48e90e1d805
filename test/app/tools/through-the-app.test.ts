import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import type { Client } from "@modelcontextprotocol/client";
import { startUpstream, type TestUpstream } from "../outbound/upstream.ts";
import { connect, startTestApp, type Era, type RunningApp } from "../running-app.ts";

let upstream: TestUpstream;
let app: RunningApp;

beforeAll(async () => {
  upstream = await startUpstream();
  app = await startTestApp({
    OUTBOUND_ALLOW: upstream.origin,
    OUTBOUND_ALLOW_PRIVATE: "127.0.0.1",
    OUTBOUND_POOLS: `search=${upstream.origin}`,
    AUTH_OFF_SCOPES: "breakers:write",
  });
});

afterAll(async () => {
  await app.close();
  await upstream.close();
});

describe.each<Era>(["2025", "2026"])("a client of the %s era", (era) => {
  let client: Client;

  beforeAll(async () => {
    client = await connect(app.endpoint, era);
  });

  afterEach(() => {
    upstream.answerWith((_request, response) => {
      response.end();
    });
  });

  afterAll(async () => {
    await client.close();
  });

  it("finds each tool with a title, a description, both schemas and annotations", async () => {
    for (const tool of (await client.listTools()).tools) {
      expect(tool).toMatchObject({
        title: expect.stringMatching(/./),
        description: expect.stringMatching(/.{40}/),
        inputSchema: { type: "object" },
        outputSchema: { type: "object" },
        annotations: { readOnlyHint: expect.any(Boolean), openWorldHint: expect.any(Boolean) },
      });
    }
  });

  it("hears how far a batch is while it is under way", async () => {
    const heard: number[] = [];
    const requests = [1, 2, 3].map((index) => ({ url: `${upstream.origin}/${index}` }));
    await client.callTool(
      { name: "async_batch_requests", arguments: { requests, concurrency: 1 } },
      { onprogress: ({ progress }) => heard.push(progress) },
    );

    expect(heard).toEqual([1, 2, 3]);
  });

  it("moves a breaker by hand, and reads in the statistics what became of it", async () => {
    const control = (action: string) =>
      client.callTool({ name: "breaker_control", arguments: { action, breaker: "weather_api" } });
    await control("force_open");
    await control("reset");
    const { contents } = await client.readResource({ uri: "circuit-breaker://stats" });
    const [content] = contents;
    const stats: unknown = JSON.parse(content !== undefined && "text" in content ? content.text : "");

    expect(stats).toMatchObject({
      overall_health: "healthy",
      breakers: expect.arrayContaining([expect.objectContaining({ name: "weather_api", state: "closed" })]),
      history: expect.arrayContaining([
        expect.objectContaining({ breaker: "weather_api", from: "closed", to: "open", reason: "forced" }),
        expect.objectContaining({ breaker: "weather_api", from: "open", to: "closed", reason: "reset" }),
      ]),
    });
  });

  it("sees an upstream that fails in the health of the pod, which stays in service", async () => {
    const control = (action: string) =>
      client.callTool({
        name: "breaker_control",
        arguments: { action, breaker: `upstream:${upstream.origin}` },
      });
    await control("force_open");
    const { structuredContent } = await client.callTool({ name: "health_check", arguments: {} });
    const health = await fetch(`${app.admin}/health`);
    await control("reset");

    expect(structuredContent).toMatchObject({
      status: "degraded",
      dependencies: { [`upstream:${upstream.origin}`]: { status: "degraded", breaker: "open" } },
      system: { status: "healthy" },
    });
    expect(health.status).toBe(200);
  });
});

// In the 2025 era a cancellation is a message of its own, which a server without sessions cannot tell to which call it belongs.
describe("a client of the 2026 era", () => {
  it("ends the work by cancelling the call", async () => {
    const client = await connect(app.endpoint, "2026");
    const asked = Promise.withResolvers<undefined>();
    const cutOff = Promise.withResolvers<undefined>();
    upstream.answerWith((request) => {
      request.socket.once("close", () => {
        cutOff.resolve(undefined);
      });
      asked.resolve(undefined);
    });
    const abort = new AbortController();
    const call = client.callTool(
      { name: "resilient_api_call", arguments: { url: upstream.origin } },
      { signal: abort.signal },
    );
    await asked.promise;
    abort.abort("no longer wanted");

    await expect(call).rejects.toThrow();
    await cutOff.promise;
    await client.close();
  });
});
