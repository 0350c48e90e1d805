import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from "@jest/globals";
import { killProcesses, startProcess } from "../app-process.ts";
import { connect } from "../running-app.ts";
import { startWeatherApi, type WeatherApi } from "../weather-api.ts";
import { startCollector, type Collector } from "./collector.ts";

const CALLS = 300;
const AT_A_TIME = 20;
const WEATHER = { name: "get_weather_with_fallback", arguments: { city: "Berlin" } };

// Processes that start, and ends that are held up, on a machine that has other things to do.
jest.setTimeout(30_000);

let api: WeatherApi;
let collector: Collector | undefined;

beforeAll(async () => {
  api = await startWeatherApi();
});

afterEach(async () => {
  await collector?.close();
  collector = undefined;
});

afterAll(async () => {
  killProcesses();
  await api.close();
});

/** Calls with more spans than fit into a batch, so that sending begins while they are made; then the end. */
async function callAndStop(environment: Readonly<Record<string, string>>) {
  const { process, mcpPort, exit } = await startProcess({
    ...api.environment,
    KEEP_ALIVE_TIMEOUT: "100ms",
    ...environment,
  });
  const client = await connect(new URL(`http://127.0.0.1:${mcpPort}/mcp`), "2026");
  let failures = 0;
  for (let made = 0; made < CALLS; made += AT_A_TIME) {
    const calls = Array.from({ length: AT_A_TIME }, () => client.callTool(WEATHER));
    for (const { isError } of await Promise.all(calls)) if (isError === true) failures += 1;
  }
  await client.close();
  const began = performance.now();
  process.kill("SIGTERM");
  const { code, stdout } = await exit;
  const lines = stdout.split("\n").filter((line) => line.includes("traces cannot be sent"));
  return { failures, code, warnings: lines.length, closing: performance.now() - began };
}

describe("a collector", () => {
  it("gets every span, with the headers that it needs, also those that were left at the end", async () => {
    collector = await startCollector();
    const { failures, code, warnings } = await callAndStop({
      ...collector.environment,
      OTEL_EXPORTER_OTLP_HEADERS: "authorization=Bearer%20secret",
      OTEL_SERVICE_NAME: "weather",
    });

    expect({ failures, code, warnings }).toEqual({ failures: 0, code: 0, warnings: 0 });
    expect(collector.spans.filter(({ name }) => name === "tools/call get_weather_with_fallback")).toHaveLength(CALLS);
    expect(collector.spans[0]?.resource["service.name"]).toBe("weather");
    expect(new Set(collector.headers.map(({ authorization }) => authorization))).toEqual(new Set(["Bearer secret"]));
  });

  it("that is down fails no call, is mentioned once and does not hold up the end", async () => {
    const vacated = createServer().listen(0, "127.0.0.1");
    await once(vacated, "listening");
    const { port } = vacated.address() as AddressInfo;
    vacated.close();
    const { failures, code, warnings, closing } = await callAndStop({
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
    });

    expect({ failures, code }).toEqual({ failures: 0, code: 0 });
    expect(warnings).toBeLessThanOrEqual(1);
    expect(closing).toBeLessThan(5000);
  });

  it("that takes connections and never answers fails no call and does not hold up the end", async () => {
    collector = await startCollector(() => undefined);
    const { failures, code, closing } = await callAndStop(collector.environment);

    expect({ failures, code }).toEqual({ failures: 0, code: 0 });
    expect(collector.headers.length).toBeGreaterThan(0);
    expect(closing).toBeLessThan(5000);
  });

  it("that refuses what it gets is mentioned once", async () => {
    collector = await startCollector((response) => response.writeHead(403).end());
    const { failures, code, warnings } = await callAndStop(collector.environment);

    expect({ failures, code, warnings }).toEqual({ failures: 0, code: 0, warnings: 1 });
    expect(collector.headers.length).toBeGreaterThan(1);
  });
});

describe("the share of traces that is kept", () => {
  it("is none with a ratio of 0, unless the client keeps its own", async () => {
    collector = await startCollector();
    const { process, mcpPort, exit } = await startProcess({
      ...collector.environment,
      KEEP_ALIVE_TIMEOUT: "100ms",
      OTEL_TRACES_SAMPLER: "parentbased_traceidratio",
      OTEL_TRACES_SAMPLER_ARG: "0",
    });
    const client = await connect(new URL(`http://127.0.0.1:${mcpPort}/mcp`), "2026");
    await client.callTool({ name: "simple_health", arguments: {} });
    const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    await client.callTool({ name: "simple_health", arguments: {}, _meta: { traceparent } });
    await client.close();
    process.kill("SIGTERM");
    await exit;

    expect(collector.spans.map(({ name, traceId }) => [name, traceId])).toEqual([
      ["tools/call simple_health", "4bf92f3577b34da6a3ce929d0e0e4736"],
    ]);
  });
});
