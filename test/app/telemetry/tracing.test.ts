import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { connect, startTestApp, type Era, type RunningApp } from "../running-app.ts";
import { json, startWeatherApi, type WeatherApi } from "../weather-api.ts";
import { startCollector, type Collector } from "./collector.ts";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT = "00f067aa0ba902b7";
const TRACEPARENT = `00-${TRACE}-${PARENT}-01`;
const WEATHER = "tools/call get_weather_with_fallback";

let api: WeatherApi;
let collector: Collector;
let app: RunningApp;

beforeEach(async () => {
  [api, collector] = await Promise.all([startWeatherApi(), startCollector()]);
  app = await startTestApp({ ...api.environment, ...collector.environment, CB_FAILURE_THRESHOLD: "2" });
});

afterEach(async () => {
  await app.close();
  await Promise.all([api.close(), collector.close()]);
});

interface AskOptions {
  readonly era?: Era;
  /** Of each HTTP request. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly times?: number;
}

/** Asks for the weather in Berlin. */
async function askWeather(
  meta: Readonly<Record<string, unknown>> = {},
  { era = "2026", headers = {}, times = 1 }: AskOptions = {},
): Promise<void> {
  const client = await connect(app.endpoint, era, (url, init) => {
    const all = new Headers(init?.headers);
    for (const [name, value] of Object.entries(headers)) all.set(name, value);
    return fetch(url, { ...init, headers: all });
  });
  for (let time = 0; time < times; time += 1) {
    await client.callTool({ name: "get_weather_with_fallback", arguments: { city: "Berlin" }, _meta: meta });
  }
  await client.close();
}

/** The app sends what it has when it closes. */
const sent = async () => {
  await app.close();
  return collector.spans;
};

describe("a trace", () => {
  it.each<Era>(["2025", "2026"])(
    "continues the one of the message's _meta, for a client of the %s era",
    async (era) => {
      await askWeather({ traceparent: TRACEPARENT, tracestate: "vendor=1" }, { era });
      await sent();

      const span = collector.span(WEATHER);
      expect(span).toMatchObject({
        traceId: TRACE,
        parentSpanId: PARENT,
        tracestate: "vendor=1",
        kind: "server",
        error: false,
        attributes: {
          "mcp.method.name": "tools/call",
          "gen_ai.tool.name": "get_weather_with_fallback",
          "gen_ai.operation.name": "execute_tool",
          "mcp.protocol.version": era === "2025" ? expect.stringMatching(/^2025-/) : "2026-07-28",
          "jsonrpc.request.id": expect.any(String),
          "network.transport": "tcp",
          "network.protocol.name": "http",
          "client.address": "127.0.0.1",
        },
        resource: { "service.name": "mcp-bluegreen", "service.version": "1.2.3", "mcp_bluegreen.color": "green" },
      });
      expect(span.end).toBeGreaterThan(span.start);
    },
  );

  it("shows the requests that the call made, as its children", async () => {
    await askWeather({ traceparent: TRACEPARENT });
    await sent();

    const { spanId, start, end } = collector.span(WEATHER);
    const outgoing = collector.spans.filter(({ kind }) => kind === "client");
    expect(outgoing).toHaveLength(2);
    for (const span of outgoing) {
      expect(span).toMatchObject({ name: "GET", traceId: TRACE, parentSpanId: spanId, error: false });
      expect(span.start).toBeGreaterThanOrEqual(start);
      expect(span.end).toBeLessThanOrEqual(end);
    }
    expect(outgoing.map(({ attributes }) => attributes)).toEqual([
      {
        "http.request.method": "GET",
        "url.full": api.environment.WEATHER_GEOCODING_URL,
        "server.address": "127.0.0.1",
        "server.port": Number(new URL(api.environment.WEATHER_GEOCODING_URL).port),
        "http.response.status_code": 200,
      },
      expect.objectContaining({ "url.full": api.environment.WEATHER_FORECAST_URL }),
    ]);
  });

  it("goes on in what the call asks of others", async () => {
    const seen: unknown[] = [];
    api.answerWith(({ headers }, response) => {
      seen.push([headers.traceparent, headers.tracestate]);
      json(response, 500, {});
    });
    await askWeather({ traceparent: TRACEPARENT, tracestate: "vendor=1" });
    await sent();

    const { spanId } = collector.span("GET");
    expect(seen).toEqual([[`00-${TRACE}-${spanId}-01`, "vendor=1"]]);
    expect(collector.span("GET")).toMatchObject({
      error: true,
      attributes: { "http.response.status_code": 500, "error.type": "500" },
    });
  });

  it("tells what each policy decided about a call that failed, was tried again and met an open breaker", async () => {
    // Nine answers earn one repetition, the tenth call is the one that needs it.
    await askWeather({}, { times: 9 });
    api.answerWith((_request, response) => {
      json(response, 503, {});
    });
    await askWeather({ traceparent: TRACEPARENT }, { times: 2 });
    await sent();

    const [first, second] = collector.spans.filter(({ name, traceId }) => name === WEATHER && traceId === TRACE);
    const story = (parent: string | undefined) =>
      collector.spans
        .filter(({ parentSpanId }) => parentSpanId === parent)
        .sort((one, other) => Number(one.end - other.end))
        .map(({ name, attributes }) => [name, attributes["resilience.decision"] ?? attributes["error.type"]]);
    expect(story(first?.spanId)).toEqual([
      ["breaker weather_api", "admitted"],
      ["cache places", "hit"],
      ["GET", "503"],
      ["retry weather_api", "retried"],
      ["breaker weather_api", "admitted"],
      ["cache places", "hit"],
      ["GET", "503"],
      ["retry weather_api", "gave up"],
      ["cache weather", "stale"],
    ]);
    expect(story(second?.spanId)).toEqual([
      ["breaker weather_api", "rejected"],
      ["cache weather", "stale"],
    ]);
    const pause = collector.spans.find(({ attributes }) => attributes["resilience.decision"] === "retried");
    expect(pause?.attributes).toMatchObject({ "resilience.policy": "retry", "resilience.attempt": 2 });
    expect((pause?.end ?? 0n) - (pause?.start ?? 0n)).toBeGreaterThan(90_000_000n);
    const rejection = collector.spans.find(({ attributes }) => attributes["resilience.decision"] === "rejected");
    expect(rejection?.attributes).toMatchObject({ "resilience.reason": "open" });
  });

  it("continues the one of the HTTP request where the message names none", async () => {
    await askWeather({}, { headers: { traceparent: TRACEPARENT } });
    await sent();

    expect(collector.span(WEATHER)).toMatchObject({ traceId: TRACE, parentSpanId: PARENT, links: [] });
  });

  it("is the message's own where both name one, and is linked to that of the HTTP request", async () => {
    const other = "0af7651916cd43dd8448eb211c80319c";
    await askWeather({ traceparent: TRACEPARENT }, { headers: { traceparent: `00-${other}-b7ad6b7169203331-01` } });
    await sent();

    expect(collector.span(WEATHER)).toMatchObject({
      traceId: TRACE,
      links: [{ traceId: other, spanId: "b7ad6b7169203331" }],
    });
  });

  it.each([
    ["not a string", 42],
    ["no hexadecimal", `00-${"x".repeat(32)}-${PARENT}-01`],
    ["all zeros", `00-${"0".repeat(32)}-${PARENT}-01`],
    ["of the forbidden version", `ff-${TRACE}-${PARENT}-01`],
    ["too long for its version", `${TRACEPARENT}-more`],
  ])("begins anew for a traceparent that is %s", async (_what, traceparent) => {
    await askWeather({ traceparent });
    await sent();

    const { traceId, parentSpanId } = collector.span(WEATHER);
    expect(traceId).toMatch(/^[0-9a-f]{32}$/);
    expect([traceId === TRACE, parentSpanId]).toEqual([false, ""]);
  });

  it("is not kept where the client keeps none, and still goes on in what the call asks of others", async () => {
    const seen: unknown[] = [];
    api.answerWith(({ headers }, response) => {
      seen.push(headers.traceparent);
      json(response, 500, {});
    });
    await askWeather({ traceparent: `00-${TRACE}-${PARENT}-00` });

    expect((await sent()).map(({ traceId }) => traceId)).not.toContain(TRACE);
    expect(seen).toEqual([expect.stringMatching(`^00-${TRACE}-[0-9a-f]{16}-00$`)]);
  });

  it("says how a call went wrong: the caller's mistake, and what JSON-RPC refuses", async () => {
    const client = await connect(app.endpoint, "2026");
    await client.callTool({ name: "get_weather_with_fallback", arguments: { city: "Atlantis" } });
    await client.callTool({ name: "made_up_by_a_client", arguments: {} }).catch(() => undefined);
    await client.close();
    await sent();

    expect(collector.span(WEATHER)).toMatchObject({ error: true, attributes: { "error.type": "caller_error" } });
    expect(collector.span("tools/call")).toMatchObject({
      error: true,
      message: expect.stringContaining("made_up_by_a_client"),
      attributes: { "error.type": "-32602", "rpc.response.status_code": "-32602" },
    });
  });

  it("keeps little of what a client makes up, however long it is", async () => {
    const client = await connect(app.endpoint, "2025");
    await client.callTool({ name: "x".repeat(100_000), arguments: {} }).catch(() => undefined);
    await client.readResource({ uri: `made-up://${"x".repeat(100_000)}` }).catch(() => undefined);
    await client.close();
    await sent();

    expect(collector.span("tools/call").message).toHaveLength(256);
    expect(collector.span("resources/read").attributes["mcp.resource.uri"]).toHaveLength(256);
    expect(
      JSON.stringify(collector.spans.map((span) => [span.name, span.message, span.attributes])).length,
    ).toBeLessThan(10_000);
  });

  it("ends with a client who goes away", async () => {
    const asked = Promise.withResolvers<undefined>();
    api.answerWith(() => {
      asked.resolve(undefined);
    });
    const client = await connect(app.endpoint, "2026");
    const leaving = new AbortController();
    const answer = client
      .callTool({ name: "get_weather_with_fallback", arguments: { city: "Berlin" } }, { signal: leaving.signal })
      .catch(() => undefined);
    await asked.promise;
    leaving.abort();
    await answer;
    await client.close();
    await sent();

    expect(collector.span(WEATHER)).toMatchObject({ error: true, attributes: { "error.type": "cancelled" } });
  });
});
