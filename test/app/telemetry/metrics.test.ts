import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { BREAKER_METRICS, breakerMetrics } from "../../../app/src/telemetry/breaker-metrics.ts";
import { expose } from "../../../app/src/telemetry/exposition.ts";
import { Metrics } from "../../../app/src/telemetry/metrics.ts";
import { bundledServer } from "../../../environment/bundled-server.ts";
import { readCalls } from "../../../release/measure/histogram.ts";
import { newOutbound } from "../outbound/new-outbound.ts";
import { connect, startTestApp, type RunningApp } from "../running-app.ts";
import { json, startWeatherApi, type WeatherApi } from "../weather-api.ts";
import { readScrape, type Scrape } from "./scrape.ts";

/** What Prometheus sends when it wants exemplars. */
const WANTS_EXEMPLARS =
  "application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2";
const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const DURATION = "mcp_server_operation_duration_seconds";

const OUTBOUND_POOLS = "search=https://a.example,https://b.example";

let api: WeatherApi;
let app: RunningApp;

beforeEach(async () => {
  api = await startWeatherApi();
  app = await startTestApp({
    ...api.environment,
    CB_FAILURE_THRESHOLD: "2",
    OUTBOUND_POOLS,
  });
});

afterEach(async () => {
  await app.close();
  await api.close();
});

async function scrape(path: string, format: "prometheus" | "openmetrics"): Promise<Scrape & { text: string }> {
  const response = await fetch(`${app.admin}${path}`, {
    headers: format === "openmetrics" ? { accept: WANTS_EXEMPLARS } : {},
  });
  const type = format === "openmetrics" ? "application/openmetrics-text; version=1.0.0" : "text/plain; version=0.0.4";
  expect(response.headers.get("content-type")).toContain(type);
  const text = await response.text();
  return { ...readScrape(text, format), text };
}

async function askWeather(times: number, flags = "01"): Promise<void> {
  const client = await connect(app.endpoint, "2026");
  const _meta = { traceparent: `00-${TRACE}-00f067aa0ba902b7-${flags}` };
  for (let time = 0; time < times; time += 1)
    await client.callTool({ name: "get_weather_with_fallback", arguments: { city: "Berlin" }, _meta });
  await client.close();
}

function fail(): void {
  api.answerWith((_request, response) => {
    json(response, 503, {});
  });
}

/** The numbers of one metric, by the labels that are asked for. */
function numbers({ lines }: Scrape, name: string, ...by: string[]): Readonly<Record<string, number>> {
  return Object.fromEntries(
    lines
      .filter((line) => line.name === name)
      .map(({ labels, value }) => [by.map((label) => labels[label]).join(" "), value]),
  );
}

describe("a scrape", () => {
  it("is the same in both formats, in any order: the one does not spoil the other", async () => {
    await askWeather(2);
    // What collecting garbage took has no numbers until garbage is collected, at whatever time that is.
    const names = ({ lines }: Scrape) => [
      ...new Set(lines.map(({ name }) => name).filter((name) => !name.startsWith("nodejs_gc_"))),
    ];
    const plain = await scrape("/metrics", "prometheus");
    const open = await scrape("/metrics", "openmetrics");
    const again = await scrape("/metrics", "prometheus");

    expect(names(open)).toEqual(names(plain));
    expect(names(again)).toEqual(names(plain));
    expect([...again.types.keys()]).toEqual([...plain.types.keys()]);
    expect(open.types.get("process_cpu_seconds")).toBe("counter");
    expect(plain.types.get("process_cpu_seconds_total")).toBe("counter");
  });

  it("is read alike by a release's gates in both formats", async () => {
    await askWeather(3);
    const plain = readCalls((await scrape("/metrics", "prometheus")).text, bundledServer().metrics);
    const open = readCalls((await scrape("/metrics", "openmetrics")).text, bundledServer().metrics);

    expect(plain.calls).toBe(3);
    expect(open).toEqual(plain);
  });

  it("names, as exemplar of a bucket, a call's trace that somebody keeps", async () => {
    await askWeather(1);
    const { lines } = await scrape("/metrics", "openmetrics");
    const exemplars = lines.filter(({ exemplar }) => exemplar !== undefined);

    expect(exemplars).toEqual([
      expect.objectContaining({
        name: `${DURATION}_bucket`,
        labels: expect.objectContaining({ gen_ai_tool_name: "get_weather_with_fallback" }),
        exemplar: { trace_id: TRACE },
      }),
    ]);
  });

  it("names no trace that nobody keeps", async () => {
    await askWeather(1, "00");

    expect((await scrape("/metrics", "openmetrics")).text).not.toContain(TRACE);
  });

  it("has no label that a client made up", async () => {
    const client = await connect(app.endpoint, "2026");
    await client.callTool({ name: "invented_by_a_client", arguments: {} }).catch(() => undefined);
    await client.readResource({ uri: "invented://by-a-client" }).catch(() => undefined);
    await client.close();

    expect((await scrape("/metrics", "prometheus")).text).not.toContain("invented");
  });

  it("shows how the event loop does, how many connections there are, and what listens", async () => {
    const client = await connect(app.endpoint, "2026");
    const stream = await client.listen({ toolsListChanged: true });
    const shown = await scrape("/metrics", "prometheus");
    await stream.close();
    await client.close();

    expect(numbers(shown, "mcp_server_listen_streams")).toEqual({ "": 1 });
    expect(numbers(shown, "mcp_server_connections")[""]).toBeGreaterThan(0);
    expect(shown.types.get("nodejs_eventloop_lag_p99_seconds")).toBe("gauge");
    expect(shown.types.get("nodejs_eventloop_utilization_histogram")).toBe("histogram");
  });

  it("knows a method that only a registration answers", async () => {
    await app.close();
    app = await startTestApp(api.environment, {
      register: (server) => {
        server.registerPrompt("greet", {}, () => ({ messages: [] }));
      },
    });
    const client = await connect(app.endpoint, "2026");
    await client.getPrompt({ name: "greet" });
    await client.close();

    expect(numbers(await scrape("/metrics", "prometheus"), `${DURATION}_count`, "mcp_method_name")).toMatchObject({
      "prompts/get": 1,
    });
  });

  it("says how each endpoint of a pool is", async () => {
    await app.close();
    app = await startTestApp({ ...api.environment, OUTBOUND_POOLS, AUTH_OFF_SCOPES: "breakers:write" });
    const client = await connect(app.endpoint, "2026");
    const breaker = "upstream:https://b.example";
    await client.callTool({ name: "breaker_control", arguments: { action: "force_open", breaker } });
    await client.close();
    const shown = await scrape("/metrics", "prometheus");

    const endpoints = { "search https://a.example": 0, "search https://b.example": 0 };
    expect(numbers(shown, "mcp_pool_endpoint_in_flight", "pool", "endpoint")).toEqual(endpoints);
    expect(numbers(shown, "mcp_pool_endpoint_ejected", "pool", "endpoint")).toEqual({
      ...endpoints,
      "search https://b.example": 1,
    });
  });

  it("shows the computation that is under way, and those that wait for it", async () => {
    const client = await connect(app.endpoint, "2026");
    const compute = (n: number) =>
      client.callTool({ name: "cached_expensive_operation", arguments: { operation: "fibonacci", n } });
    const computed = Promise.all([100_000, 99_999, 99_998].map(compute));
    let shown: Scrape;
    do shown = await scrape("/metrics", "prometheus");
    while (numbers(shown, "mcp_bulkhead_queued", "bulkhead").computations === 0);

    expect(numbers(shown, "mcp_bulkhead_in_flight", "bulkhead").computations).toBe(1);
    await computed;
    await client.close();
  });

  it("counts the calls that a retry budget allowed and refused", async () => {
    await askWeather(9);
    fail();
    await askWeather(1);

    expect(
      numbers(await scrape("/metrics", "prometheus"), "mcp_retry_budget_repetitions_total", "budget", "outcome"),
    ).toMatchObject({ "weather_api spent": 1, "weather_api refused": 1 });
  });
});

describe("/metrics/circuit_breaker", () => {
  it("shows nothing but breakers: state, calls by outcome, and how they got there", async () => {
    await askWeather(3);
    fail();
    await askWeather(4);
    const shown = await scrape("/metrics/circuit_breaker", "prometheus");
    const ofWeather = { ...shown, lines: shown.lines.filter(({ labels }) => labels.breaker === "weather_api") };

    expect([...shown.types.keys()].filter((name) => !name.startsWith("mcp_breaker"))).toEqual([]);
    expect(numbers(ofWeather, "mcp_breaker_state", "breaker")).toEqual({ weather_api: 2 });
    expect(numbers(ofWeather, "mcp_breaker_consecutive_failures", "breaker")).toEqual({ weather_api: 2 });
    expect(numbers(ofWeather, "mcp_breaker_calls_total", "outcome")).toEqual({
      success: 3,
      failure: 2,
      timeout: 0,
      rejected: 2,
    });
    expect(numbers(ofWeather, "mcp_breaker_transitions_total", "from", "to")).toEqual({ "closed open": 1 });
  });

  it("counts the breaker of an upstream that a client has found, and does not name it", () => {
    const { outbound, breakers, config } = newOutbound({ OUTBOUND_ALLOW: "*.example.com", OUTBOUND_POOLS });
    const { upstreams } = outbound;
    const metrics = new Metrics(config);
    metrics.add(...breakerMetrics(breakers, (breaker) => upstreams.isFoundByClient(breaker)));
    for (const origin of ["https://a.example", "https://found-by-a-client.example.com"]) upstreams.of(origin);
    const text = metrics.textOf(BREAKER_METRICS, "prometheus");

    expect(numbers(readScrape(text, "prometheus"), "mcp_breakers", "state").closed).toBe(2);
    expect(text).not.toContain("found-by-a-client");
    expect(text).toContain('mcp_breaker_state{breaker="upstream:https://a.example"} 0');
  });

  it("answers both formats, and says the same as /metrics", async () => {
    await askWeather(1);
    const alone = await scrape("/metrics/circuit_breaker", "openmetrics");
    const all = await scrape("/metrics", "openmetrics");

    expect(alone.lines).toEqual(all.lines.filter(({ name }) => name.startsWith("mcp_breaker")));
  });
});

describe("the table in docs/telemetry.md", () => {
  it("names every metric of the app, with its type and labels, and no other", async () => {
    const folder = await mkdtemp(join(tmpdir(), "mcp-metrics-"));
    await app.close();
    app = await startTestApp({ ...api.environment, CB_FAILURE_THRESHOLD: "1", DATA_DIR: folder, OUTBOUND_POOLS });
    fail();
    await askWeather(2);
    const { lines, types } = await scrape("/metrics", "prometheus");
    await rm(folder, { recursive: true });

    const page = await readFile(join(import.meta.dirname, "../../../docs/telemetry.md"), "utf8");
    const rows = page
      .split("\n")
      .filter((row) => row.startsWith("| `mcp_"))
      .map((row) => row.split("|").map((cell) => cell.trim().replaceAll("`", "")));
    const ofApp = [...types].filter(([name]) => name.startsWith("mcp_"));
    expect(rows.map(([, name, type]) => `${name} ${type}`).toSorted()).toEqual(
      ofApp.map((entry) => entry.join(" ")).toSorted(),
    );
    for (const [, family = "", , labels = "", what] of rows) {
      const shown = lines.find(({ name }) => name.replace(/_(bucket|sum|count)$/, "") === family);
      const names = Object.keys(shown?.labels ?? {}).filter((label) => label !== "le");
      if (shown !== undefined) expect([family, ...names.toSorted()]).toEqual([family, ...readList(labels).toSorted()]);
      else expect([family, what]).toEqual([family, expect.stringContaining("Redis")]);
    }
  });
});

const readList = (text: string) => text.split(", ").filter((item) => item !== "");

describe("metrics", () => {
  it("refuse a second one of the same name", () => {
    const metrics = new Metrics({ version: "1.0.0", color: "blue" });
    const depth = { name: "mcp_queue_depth", help: "Waiting", type: "gauge", read: () => [{ value: 1 }] } as const;
    metrics.add(depth);

    expect(() => {
      metrics.add(depth);
    }).toThrow("'mcp_queue_depth'");
  });

  it("are written with all that a label may hold, and with numbers that are none", () => {
    const values = [
      { labels: { path: 'C:\\ "new"\nline' }, value: NaN },
      { labels: { path: "" }, value: -Infinity },
    ];
    const text = expose([{ name: "odd", help: "back\\slash\nbreak", type: "gauge", values }], "prometheus");

    expect(text).toBe(
      [
        "# HELP odd back\\\\slash\\nbreak",
        "# TYPE odd gauge",
        'odd{path="C:\\\\ \\"new\\"\\nline"} NaN',
        'odd{path=""} -Inf',
        "",
      ].join("\n"),
    );
  });
});
