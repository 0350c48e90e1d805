import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { killProcesses, startProcess } from "../app-process.ts";
import { connect } from "../running-app.ts";
import { json, startWeatherApi, type WeatherApi } from "../weather-api.ts";
import { startCollector } from "./collector.ts";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT = "00f067aa0ba902b7";

let api: WeatherApi;

beforeAll(async () => {
  api = await startWeatherApi();
  api.answerWith((_request, response) => {
    json(response, 500, {});
  });
});

afterAll(async () => {
  killProcesses();
  await api.close();
});

/** The line that a breaker's opening writes, in a call with this `_meta`. */
async function lineOfACall(
  environment: Readonly<Record<string, string>>,
  meta: Readonly<Record<string, unknown>>,
): Promise<unknown> {
  const { process, mcpPort, exit } = await startProcess({
    ...api.environment,
    CB_FAILURE_THRESHOLD: "1",
    KEEP_ALIVE_TIMEOUT: "100ms",
    ...environment,
  });
  const client = await connect(new URL(`http://127.0.0.1:${mcpPort}/mcp`), "2026");
  await client.callTool({ name: "get_weather_with_fallback", arguments: { city: "Berlin" }, _meta: meta });
  await client.close();
  process.kill("SIGTERM");
  const { stdout } = await exit;
  const line = stdout.split("\n").find((text) => text.includes("breaker changed state"));
  return JSON.parse(line ?? "null");
}

describe("a log line of a call", () => {
  it("carries the ids of its trace and span, as the collector knows them", async () => {
    const collector = await startCollector();
    const line = await lineOfACall(collector.environment, { traceparent: `00-${TRACE}-${PARENT}-01` });
    const { spanId } = collector.span("tools/call get_weather_with_fallback");
    await collector.close();

    expect(line).toMatchObject({ trace_id: TRACE, span_id: spanId });
  });

  it("carries the id of the client's trace, while none are kept here", async () => {
    const line = await lineOfACall({}, { traceparent: `00-${TRACE}-${PARENT}-01` });

    expect(line).toMatchObject({ trace_id: TRACE });
    expect(line).not.toHaveProperty("span_id");
  });

  it("carries none where there is none", async () => {
    const line = await lineOfACall({}, {});

    expect(line).toMatchObject({ breaker: "weather_api", to: "open" });
    expect(line).not.toHaveProperty("trace_id");
  });
});

describe("a change of a breaker", () => {
  it("is logged with its reason and the last error", async () => {
    expect(await lineOfACall({}, {})).toMatchObject({
      breaker: "weather_api",
      from: "closed",
      to: "open",
      reason: "failures",
      err: { type: "UpstreamFailure", message: expect.stringMatching(/^127\.0\.0\.1:\d+ answered 500$/) },
    });
  });
});
