import { Agent } from "node:http";
import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { killProcesses, startProcess } from "./app-process.ts";
import { overHttp } from "./over-http.ts";
import { startRouter } from "./router.ts";
import { connect, startTestApp, type Era } from "./running-app.ts";
import { startWeatherApi, type WeatherApi } from "./weather-api.ts";

let api: WeatherApi;

beforeAll(async () => {
  api = await startWeatherApi();
});

afterAll(async () => {
  killProcesses();
  await api.close();
});

interface Caller {
  readonly calls: number;
  readonly failures: readonly string[];
  stop(): Promise<void>;
}

/** Calls over one kept connection, with so many milliseconds between calls, until told to stop. */
async function startCaller(endpoint: URL, era: Era, pause: number): Promise<Caller> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const client = await connect(endpoint, era, overHttp(agent));
  const failures: string[] = [];
  let calls = 0;
  const stopping = new AbortController();
  const loop = (async () => {
    while (!stopping.signal.aborted) {
      calls += 1;
      await client.callTool({ name: "get_weather_with_fallback", arguments: { city: "Berlin" } }).then(
        ({ isError }) => isError === true && failures.push("tool error"),
        (error: unknown) => failures.push(String(error)),
      );
      if (pause > 0) await sleep(pause);
    }
  })();
  return {
    get calls() {
      return calls;
    },
    failures,
    async stop() {
      stopping.abort();
      await loop;
      await client.close();
      agent.destroy();
    },
  };
}

describe("a pod that gets SIGTERM under load", () => {
  it("fails no call of clients that keep their connections and call without pause or now and then", async () => {
    const environment = { ...api.environment, DRAIN_DELAY: "300ms", KEEP_ALIVE_TIMEOUT: "2s" };
    const [old, next] = await Promise.all([startProcess(environment), startProcess(environment)]);
    const router = await startRouter(old.mcpPort);
    const endpoint = new URL(`http://127.0.0.1:${router.port}/mcp`);
    const callers = await Promise.all(
      [0, 0, 0, 0, 0, 0, 0, 0, 20, 50, 150, 400].map((pause, index) =>
        startCaller(endpoint, index % 2 === 0 ? "2025" : "2026", pause),
      ),
    );
    const listener = await connect(endpoint, "2026");
    const stream = await listener.listen({ toolsListChanged: true });
    const calls = () => callers.reduce((sum, caller) => sum + caller.calls, 0);
    while (calls() < 300) await sleep(10);

    // As a Service does, the router follows readiness, and late.
    old.process.kill("SIGTERM");
    while ((await fetch(`http://127.0.0.1:${old.adminPort}/readyz`)).status !== 503) await sleep(5);
    await sleep(100);
    router.routeTo(next.mcpPort);
    const { code, stdout } = await old.exit;
    const atExit = calls();
    while (calls() < atExit + 300) await sleep(10);

    expect(await stream.closed).toBe("graceful");
    await Promise.all(callers.map((caller) => caller.stop()));
    await listener.close();
    expect(callers.flatMap(({ failures }) => failures)).toEqual([]);
    expect(code).toBe(0);
    expect(stdout).toContain('"msg":"drained"');
    next.process.kill("SIGTERM");
    expect((await next.exit).code).toBe(0);
    await router.close();
  }, 30_000);
});

describe("close", () => {
  it("waits for a call in flight, and ends its connection with the answer", async () => {
    const { promise: asked, resolve: onAsked } = Promise.withResolvers<undefined>();
    const { promise: released, resolve: release } = Promise.withResolvers<undefined>();
    const app = await startTestApp(api.environment, {
      tools: (tools) =>
        tools.map((tool) => ({
          ...tool,
          async handle(args, call) {
            onAsked(undefined);
            await released;
            return tool.handle(args, call);
          },
        })),
    });
    const client = await connect(app.endpoint, "2026");
    const answer = client.callTool({ name: "simple_health", arguments: {} });
    await asked;
    const closed = app.close();
    expect((await fetch(`${app.admin}/readyz`)).status).toBe(503);
    expect((await fetch(`${app.admin}/livez`)).status).toBe(200);
    release(undefined);

    expect((await answer).structuredContent).toEqual({ status: "ok" });
    expect(await closed).toBe(0);
    await client.close();
  });

  it("still answers on a connection that was idle when it began, and ends it with that answer", async () => {
    const app = await startTestApp({ ...api.environment, KEEP_ALIVE_TIMEOUT: "2s" });
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const used = new Set<Socket>();
    const client = await connect(
      app.endpoint,
      "2026",
      overHttp(agent, (socket) => used.add(socket)),
    );
    await client.callTool({ name: "simple_health", arguments: {} });
    const closed = app.close();
    await sleep(200);

    expect((await client.callTool({ name: "simple_health", arguments: {} })).structuredContent).toEqual({
      status: "ok",
    });
    const began = performance.now();
    expect(await closed).toBe(0);
    expect(performance.now() - began).toBeLessThan(500);
    expect(used.size).toBe(1);
    await client.close();
    agent.destroy();
  });

  it("cuts off what has not ended after DRAIN_TIMEOUT, and says how much that was", async () => {
    const { promise: asked, resolve: onAsked } = Promise.withResolvers<undefined>();
    const app = await startTestApp(
      { ...api.environment, DRAIN_TIMEOUT: "50ms" },
      {
        tools: (tools) =>
          tools.map((tool) => ({
            ...tool,
            handle() {
              onAsked(undefined);
              return new Promise(() => undefined);
            },
          })),
      },
    );
    const client = await connect(app.endpoint, "2025");
    const answer = client.callTool({ name: "simple_health", arguments: {} }).catch((error: unknown) => error);
    await asked;

    expect(await app.close()).toBe(1);
    await client.close();
    expect(await answer).toBeInstanceOf(Error);
  });
});
