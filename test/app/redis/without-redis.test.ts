import { afterAll, afterEach, beforeAll, expect, it } from "@jest/globals";
import type { Client } from "@modelcontextprotocol/client";
import { describeWithRedis } from "../../redis/describe.ts";
import { startRedis, type RedisServer } from "../../redis/server.ts";
import { killProcesses, startProcess, type AppProcess } from "../app-process.ts";
import { connect } from "../running-app.ts";
import { startWeatherApi, type WeatherApi } from "../weather-api.ts";

let redis: RedisServer;
let api: WeatherApi;
let app: AppProcess;
let client: Client;

async function redisIs(status: "healthy" | "degraded"): Promise<void> {
  for (;;) {
    const response = await fetch(`http://127.0.0.1:${app.adminPort}/health`);
    const { dependencies } = (await response.json()) as { dependencies: Record<string, { status: string }> };
    if (dependencies.redis?.status === status) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

let calls = 0;

/** One call of each tool that shares something through Redis; the milliseconds that each took. Throws what a client would be told. */
async function callAll(): Promise<number[]> {
  calls += 1;
  const all: [string, Record<string, unknown>][] = [
    ["get_weather_with_fallback", { city: "Berlin" }],
    ["cached_expensive_operation", { operation: "fibonacci", n: 100 + calls }],
    ["rate_limited_operation", { operation: "sha256", text: "abc" }],
    ["store_data_resilient", { key: `key-${calls}`, value: { calls } }],
    ["health_check", {}],
  ];
  const times: number[] = [];
  for (const [name, args] of all) {
    const before = performance.now();
    const { isError, content } = await client.callTool({ name, arguments: args });
    times.push(performance.now() - before);
    if (isError === true) throw new Error(`${name}: ${JSON.stringify(content)}`);
  }
  return times;
}

/** Calls all tools, again and again, for so long; the milliseconds of the slowest call. */
async function callFor(milliseconds: number): Promise<number> {
  const until = performance.now() + milliseconds;
  const times: number[] = [];
  while (performance.now() < until) times.push(...(await callAll()));
  return Math.max(...times);
}

/** Milliseconds that a command to a hanging Redis waits for. */
const REDIS_TIMEOUT = 3000;

/** Milliseconds: far less, and many times what a call takes on a busy machine. */
const NOT_WAITING = REDIS_TIMEOUT / 2;

describeWithRedis("an app that shares state", () => {
  beforeAll(async () => {
    [redis, api] = await Promise.all([startRedis(), startWeatherApi()]);
    app = await startProcess({
      ...api.environment,
      REDIS_URL: redis.restrictedUrl,
      REDIS_TIMEOUT: `${REDIS_TIMEOUT}ms`,
      LOG_LEVEL: "error",
      // Every answer asks the API, through a breaker that is shared.
      WEATHER_CACHE_TTL: "1ms",
      RATE_LIMIT_RATE: "10000",
    });
    client = await connect(new URL(`http://127.0.0.1:${app.mcpPort}/mcp`), "2026");
    await redisIs("healthy");
  }, 20_000);

  afterEach(async () => {
    // Wherever a test has left it.
    redis.resume();
    await redis.kill();
    await redis.start();
    await redisIs("healthy");
  }, 20_000);

  afterAll(async () => {
    await client.close();
    killProcesses();
    await Promise.all([redis.close(), api.close()]);
  });

  it("answers every call while Redis hangs for five seconds, without waiting for it, and shares again afterwards", async () => {
    redis.pause();
    expect(await callFor(5000)).toBeLessThan(NOT_WAITING);
    await redisIs("degraded");
    redis.resume();
    await redisIs("healthy");
    await callAll();
  }, 20_000);

  it("answers every call while Redis is killed and started again, and says so in its health", async () => {
    await redis.kill();
    expect(await callFor(500)).toBeLessThan(NOT_WAITING);
    await redisIs("degraded");
    await redis.start();
    await redisIs("healthy");
    await callAll();
  }, 20_000);

  it("answers every call while Redis is emptied again and again", async () => {
    const called = callFor(500);
    const emptied = new AbortController();
    const emptying = (async () => {
      while (!emptied.signal.aborted) await redis.flush();
    })();
    await called.finally(() => {
      emptied.abort();
    });
    await emptying;
    expect(await called).toBeLessThan(NOT_WAITING);
  }, 20_000);

  it("answers every call while Redis has no memory left, and when it has", async () => {
    await redis.admin("CONFIG", "SET", "maxmemory", "1");
    expect(await callFor(500)).toBeLessThan(NOT_WAITING);
    await redis.admin("CONFIG", "SET", "maxmemory", "0");
    await callAll();
  }, 20_000);

  it("answers every call while Redis is a replica that takes no writes, as during a failover", async () => {
    await redis.admin("REPLICAOF", "127.0.0.1", "1");
    expect(await callFor(1500)).toBeLessThan(NOT_WAITING);
    await redis.admin("REPLICAOF", "NO", "ONE");
    await redisIs("healthy");
    await callAll();
  }, 20_000);
});
