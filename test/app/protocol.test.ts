import { Agent, request as httpRequest } from "node:http";
import { connect as connectTcp } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import type { Client } from "@modelcontextprotocol/client";
import { overHttp } from "./over-http.ts";
import { connect, startTestApp, type Era, type RunningApp } from "./running-app.ts";
import { json, startWeatherApi, type WeatherApi } from "./weather-api.ts";

let api: WeatherApi;
let app: RunningApp;

beforeAll(async () => {
  api = await startWeatherApi();
  app = await startTestApp({ ...api.environment, CB_FAILURE_THRESHOLD: "1", KEEP_ALIVE_TIMEOUT: "2s" });
});

afterAll(async () => {
  await app.close();
  await api.close();
});

async function withClient<T>(client: Client, use: (client: Client) => Promise<T>): Promise<T> {
  try {
    return await use(client);
  } finally {
    await client.close();
  }
}

describe.each<Era>(["2025", "2026"])("a client of the %s era", (era) => {
  it("learns version and color, and finds the tools and the resource", async () => {
    await withClient(await connect(app.endpoint, era), async (client) => {
      expect(client.getServerVersion()).toMatchObject({
        name: "mcp-bluegreen",
        version: "1.2.3",
        description: "color green",
      });
      expect(client.getNegotiatedProtocolVersion()).toBe(era === "2026" ? "2026-07-28" : "2025-11-25");
      const { tools } = await client.listTools();
      expect(tools.map(({ name }) => name)).toEqual(
        expect.arrayContaining([
          "get_weather_with_fallback",
          "resilient_api_call",
          "store_data_resilient",
          "health_check",
          "simple_health",
        ]),
      );
      const { resources } = await client.listResources();
      expect(resources.map(({ uri }) => uri)).toEqual(["circuit-breaker://stats"]);
    });
  });

  it("calls every tool", async () => {
    await withClient(await connect(app.endpoint, era), async (client) => {
      const call = async (name: string, args = {}) =>
        (await client.callTool({ name, arguments: args })).structuredContent;
      expect(await call("get_weather_with_fallback", { city: "Berlin" })).toMatchObject({
        city: "Berlin",
        source: "live",
      });
      expect(await call("simple_health")).toEqual({ status: "ok" });
      expect(await call("health_check")).toMatchObject({
        status: "healthy",
        version: "1.2.3",
        color: "green",
        dependencies: { weather_api: { status: "healthy", breaker: "closed" } },
      });
    });
  });

  it.each([
    ["one kept connection", true],
    ["a new connection for each call", false],
  ])("is served over %s", async (_how, keepAlive) => {
    const agent = new Agent({ keepAlive, maxSockets: 1 });
    const used = new Set<number | undefined>();
    await withClient(
      await connect(
        app.endpoint,
        era,
        overHttp(agent, (socket) => used.add(socket.localPort)),
      ),
      async (client) => {
        used.clear();
        for (let call = 0; call < 5; call += 1) await client.callTool({ name: "simple_health", arguments: {} });
      },
    );
    agent.destroy();

    expect(used.size).toBe(keepAlive ? 1 : 5);
  });
});

describe("a listen stream", () => {
  it("hears of a breaker that opens", async () => {
    const own = await startTestApp({ ...api.environment, CB_FAILURE_THRESHOLD: "1" });
    const client = await connect(own.endpoint, "2026");
    const { promise: updated, resolve } = Promise.withResolvers<string>();
    client.setNotificationHandler("notifications/resources/updated", ({ params }) => {
      resolve(params.uri);
    });
    const { honoredFilter } = await client.listen({ resourceSubscriptions: ["circuit-breaker://stats"] });
    expect(honoredFilter).toEqual({ resourceSubscriptions: ["circuit-breaker://stats"] });

    api.answerWith((_request, response) => {
      json(response, 500, {});
    });
    await client.callTool({ name: "get_weather_with_fallback", arguments: { city: "Berlin" } });
    api.answerWith();

    expect(await updated).toBe("circuit-breaker://stats");
    await client.close();
    await own.close();
  });

  it("outlives the age of its connection, and ends only with the app", async () => {
    const own = await startTestApp({ CONNECTION_MAX_AGE: "1ms" });
    const client = await connect(own.endpoint, "2026");
    const stream = await client.listen({ toolsListChanged: true });
    // Longer than the server goes between looks for connections to close.
    const first = await Promise.race([stream.closed, sleep(1200, "still open")]);
    await own.close();

    expect([first, await stream.closed]).toEqual(["still open", "graceful"]);
    await client.close();
  });

  it("ends with its final result when the app closes", async () => {
    const own = await startTestApp(api.environment);
    const client = await connect(own.endpoint, "2026");
    const stream = await client.listen({ toolsListChanged: true });
    expect(await own.close()).toBe(0);

    expect(await stream.closed).toBe("graceful");
    await client.close();
  });
});

describe("tools given to startApp", () => {
  it("can be wrapped, so that a version may behave differently under the same name", async () => {
    const wrapped = await startTestApp(api.environment, {
      tools: (tools) =>
        tools.map((tool) =>
          tool.name === "simple_health"
            ? {
                ...tool,
                handle: () => ({ content: [], structuredContent: { status: "ok" }, _meta: { wrapped: true } }),
              }
            : tool,
        ),
    });
    const client = await connect(wrapped.endpoint, "2026");

    expect(await client.callTool({ name: "simple_health", arguments: {} })).toMatchObject({ _meta: { wrapped: true } });
    await client.close();
    await wrapped.close();
  });
});

describe("a registration given to startApp", () => {
  it("adds what is neither tool nor resource, for both eras", async () => {
    const own = await startTestApp(api.environment, {
      register: (server) => {
        server.registerPrompt("greet", {}, () => ({
          messages: [{ role: "user", content: { type: "text", text: "Say hello." } }],
        }));
      },
    });
    for (const era of ["2025", "2026"] as const) {
      await withClient(await connect(own.endpoint, era), async (client) => {
        expect(await client.getPrompt({ name: "greet" })).toMatchObject({
          messages: [{ content: { text: "Say hello." } }],
        });
        expect((await client.listTools()).tools.length).toBeGreaterThan(2);
      });
    }
    await own.close();
  });
});

describe("connections", () => {
  it("are ended with a response once they are over age, and not in between", async () => {
    const own = await startTestApp({ CONNECTION_MAX_AGE: "150ms", KEEP_ALIVE_TIMEOUT: "2s" });
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const ask = () =>
      new Promise<string | undefined>((resolve, reject) => {
        httpRequest({ host: "127.0.0.1", port: own.mcpPort, path: "/mcp", agent }, (response) => {
          response.resume().once("end", () => {
            resolve(response.headers.connection);
          });
        })
          .on("error", reject)
          .end();
      });
    expect(await ask()).toBe("keep-alive");
    const began = performance.now();
    while ((await ask()) !== "close") expect(performance.now() - began).toBeLessThan(1000);

    expect(performance.now() - began).toBeGreaterThan(100);
    expect(await ask()).toBe("keep-alive");
    agent.destroy();
    await own.close();
  });

  it("are closed while idle only when over age and idle for longer than clients were told to reuse them", async () => {
    const own = await startTestApp({ CONNECTION_MAX_AGE: "1ms", KEEP_ALIVE_TIMEOUT: "300ms" });
    const socket = connectTcp(own.mcpPort, "127.0.0.1");
    const began = performance.now();
    await new Promise((resolve) => socket.resume().once("close", resolve));

    expect(performance.now() - began).toBeGreaterThan(300);
    await own.close();
  });
});
