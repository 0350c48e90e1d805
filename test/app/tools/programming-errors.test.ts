import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it, jest } from "@jest/globals";
import { createMcpHandler } from "@modelcontextprotocol/server";
import pino from "pino";
import { Caches } from "../../../app/src/cache/caches.ts";
import { readConfig } from "../../../app/src/config.ts";
import { Health } from "../../../app/src/health/health.ts";
import { Breaker } from "../../../app/src/resilience/breaker.ts";
import { BreakerRegistry } from "../../../app/src/resilience/breaker-registry.ts";
import { createAdminPort } from "../../../app/src/server/admin-port.ts";
import { createServerFactory } from "../../../app/src/server/mcp.ts";
import { Disk } from "../../../app/src/store/disk/disk.ts";
import { ResilientStore } from "../../../app/src/store/resilient-store.ts";
import type { Store } from "../../../app/src/store/store.ts";
import { Metrics } from "../../../app/src/telemetry/metrics.ts";
import { NO_TRACING } from "../../../app/src/telemetry/request-trace.ts";
import { getWeatherWithFallback } from "../../../app/src/tools/get-weather-with-fallback.ts";
import type { Tool } from "../../../app/src/tools/tool.ts";
import { Weather } from "../../../app/src/weather/weather.ts";
import { aFolder, waitingIn } from "../store/a-folder.ts";
import { call } from "./calling.ts";

const config = readConfig({ AUTH_MODE: "off" });

const mistake = () => new TypeError("Cannot read properties of undefined");

/** Its own code throws a TypeError before it sends anything. */
const aWeather = (breakers: BreakerRegistry) =>
  new Weather({
    geocodingUrl: "not a URL",
    forecastUrl: "not a URL",
    cacheTtl: 60_000,
    breakers,
    caches: new Caches({ ttl: 1000, maxBytes: 100_000, compressAbove: 1024 }),
    settings: config.breakers.weather_api,
  });

let disk: Disk | undefined;

afterEach(async () => {
  await disk?.close();
  disk = undefined;
});

describe("a programming error", () => {
  it("on the way to the weather is reported and told as an error, and no static answer hides it", async () => {
    const breakers = new BreakerRegistry();
    const tool = getWeatherWithFallback(aWeather(breakers));
    const { data, text, error, unexpected } = await call(tool, { city: "Berlin" });

    expect(data).toBeUndefined();
    expect(error).toEqual({ kind: "tool_error" });
    expect(text).toContain("Reference: reference");
    expect(unexpected).toMatchObject([{ name: "TypeError", message: "Invalid URL" }]);
    expect(breakers.stats).toMatchObject([{ failures: 0 }]);
  });

  it("of the store is no reason to queue a write", async () => {
    const folder = await aFolder();
    const own = (disk = new Disk({ folder, durability: "volume" }));
    // SQLite binds no Date: the disk's thread meets what a mistake in this program would give it.
    const store: Store = {
      durability: "volume",
      put: (write, inner) => own.put({ ...write, digest: new Date() as unknown as string }, inner),
      get: (key) => own.get(key),
      close: () => own.close(),
    };
    const breaker = new Breaker({ name: "database", failureThreshold: 1, recoveryTimeout: 1000 });
    const resilient = new ResilientStore({ store, breaker, queues: [own.journal] });

    await expect(resilient.write({ key: "k", value: 1 })).rejects.toMatchObject({ name: "TypeError" });
    expect(resilient.deferred).toEqual({ redis: 0, journal: 0 });
    expect(waitingIn(folder)).toBe(0);
    expect(breaker.stats).toMatchObject({ state: "closed", failures: 0 });
  });

  it("becomes a warning of the process when the client has gone away", async () => {
    const warn = jest.spyOn(process, "emitWarning").mockImplementation(() => undefined);
    const abort = new AbortController();
    const tool: Tool = {
      ...getWeatherWithFallback(aWeather(new BreakerRegistry())),
      handle: () => {
        abort.abort();
        throw mistake();
      },
    };
    await call(tool, { city: "Berlin" }, { signal: abort.signal });

    expect(warn.mock.calls).toMatchObject([[mistake().message, { type: "TypeError" }]]);
    warn.mockRestore();
  });

  it("of a resource is reported, and the client gets no more than the reference", async () => {
    const unexpected: unknown[] = [];
    const resource = { uri: "broken://resource", name: "broken", title: "Broken", description: "Broken." };
    const read = () => {
      throw mistake();
    };
    const factory = createServerFactory({
      ...config,
      tools: [],
      resources: [{ ...resource, read }],
      requestStateKey: "a key for tests that is long enough",
      observe: () => undefined,
      tracing: NO_TRACING,
      unexpected: (error) => {
        unexpected.push(error);
        return "the reference";
      },
    });
    const handler = createMcpHandler(factory, { legacy: "stateless" });
    const response = await handler.fetch(
      new Request("http://localhost/mcp", {
        method: "POST",
        headers: { "content-type": "application/json", accept: "application/json, text/event-stream" },
        body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "resources/read", params: { uri: resource.uri } }),
      }),
    );
    const text = await response.text();
    await handler.close();

    expect(text).toContain("broken://resource failed inside this server; try again later. Reference: the reference");
    expect(text).not.toContain("undefined");
    expect(unexpected).toMatchObject([{ name: "TypeError" }]);
  });

  it("of an admin page is logged", async () => {
    const lines: string[] = [];
    const logger = pino({}, { write: (line) => void lines.push(line) });
    const health = new Health(config);
    health.add({
      name: "broken",
      health: () => {
        throw mistake();
      },
    });
    const server = createAdminPort({ health, metrics: new Metrics(config), logger });
    await once(server.listen(0, "127.0.0.1"), "listening");
    const { port } = server.address() as AddressInfo;
    const response = await fetch(`http://127.0.0.1:${port}/health`, { headers: { connection: "close" } });
    await response.text();
    await once(server.close(), "close");

    expect(response.status).toBe(500);
    expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([
      { path: "/health", msg: "an admin page failed", err: { message: mistake().message } },
    ]);
  });
});
