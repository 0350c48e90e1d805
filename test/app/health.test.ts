import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { statusOf } from "../../app/src/health/guarded.ts";
import type { BreakerState } from "../../app/src/resilience/breaker.ts";
import { connect, startTestApp, type RunningApp } from "./running-app.ts";
import { json, startWeatherApi, type WeatherApi } from "./weather-api.ts";

let api: WeatherApi;
let app: RunningApp;

beforeEach(async () => {
  api = await startWeatherApi();
  app = await startTestApp({ ...api.environment, CB_FAILURE_THRESHOLD: "1" });
});

afterEach(async () => {
  await app.close();
  await api.close();
});

const get = (path: string, init?: RequestInit) => fetch(`${app.admin}${path}`, init);

async function openTheBreaker(): Promise<void> {
  api.answerWith((_request, response) => {
    json(response, 500, {});
  });
  const client = await connect(app.endpoint, "2026");
  await client.callTool({ name: "get_weather_with_fallback", arguments: { city: "Berlin" } });
  await client.close();
}

describe("the admin port", () => {
  it("says that the pod lives and is ready, and what it is", async () => {
    expect((await get("/livez")).status).toBe(200);
    expect((await get("/readyz")).status).toBe(200);
    expect(await (await get("/health")).json()).toEqual({
      status: "healthy",
      version: "1.2.3",
      color: "green",
      uptimeSeconds: expect.any(Number),
      dependencies: expect.objectContaining({ weather_api: { status: "healthy", breaker: "closed" } }),
      system: {
        status: "healthy",
        reasons: [],
        eventLoop: expect.anything(),
        memory: expect.anything(),
        openFiles: expect.anything(),
        load: expect.any(Number),
      },
    });
  });

  it("stays ready while a dependency is down, and shows the dependency as degraded (invariant 10)", async () => {
    await openTheBreaker();

    expect((await get("/readyz")).status).toBe(200);
    const health = await get("/health");
    expect(health.status).toBe(200);
    expect(await health.json()).toMatchObject({
      status: "degraded",
      dependencies: { weather_api: { status: "degraded", breaker: "open" } },
    });
  });

  it("answers any Host, as probes go to the pod's address, and no web page", async () => {
    expect((await get("/readyz", { headers: { origin: "http://localhost" } })).status).toBe(403);
  });

  it("answers an unknown page by naming those there are, and only GET", async () => {
    expect(await (await get("/nope")).json()).toEqual({
      error: "no such page; there are /livez, /readyz, /health, /metrics, /metrics/circuit_breaker",
    });
    expect((await get("/constructor")).status).toBe(404);
    expect((await get("/health", { method: "POST" })).status).toBe(405);
  });
});

describe("/metrics", () => {
  it("counts each operation by method, tool and error, for both eras", async () => {
    for (const era of ["2025", "2026"] as const) {
      const client = await connect(app.endpoint, era);
      await client.callTool({ name: "get_weather_with_fallback", arguments: { city: "Berlin" } });
      await client.callTool({ name: "get_weather_with_fallback", arguments: { city: "Atlantis" } });
      const answer = await client.callTool({ name: "get_weather_with_fallback", arguments: { city: 5 } });
      expect(answer).toMatchObject({ isError: true, _meta: { "mcp-bluegreen/error": { kind: "caller_error" } } });
      await client.callTool({ name: "made_up_by_a_client", arguments: {} }).catch(() => undefined);
      await client.close();
    }
    const text = await (await get("/metrics")).text();
    const count = (method: string, tool: string, error: string) =>
      text
        .split("\n")
        .find((line) =>
          line.startsWith(
            `mcp_server_operation_duration_seconds_count{mcp_method_name="${method}",gen_ai_tool_name="${tool}",error_type="${error}"}`,
          ),
        )
        ?.split(" ")[1];

    expect(count("tools/call", "get_weather_with_fallback", "")).toBe("2");
    expect(count("tools/call", "get_weather_with_fallback", "caller_error")).toBe("4");
    expect(count("tools/call", "", "-32602")).toBe("2");
    expect(count("initialize", "", "")).toBe("1");
    expect(count("server/discover", "", "")).toBe("1");
    expect(text).not.toContain("made_up_by_a_client");
  });

  it("shows version and color, the breaker's state and the process", async () => {
    await openTheBreaker();
    const response = await get("/metrics");
    const text = await response.text();

    expect(response.headers.get("content-type")).toContain("text/plain");
    expect(text).toContain('mcp_build_info{version="1.2.3",color="green"} 1');
    expect(text).toContain('mcp_breaker_state{breaker="weather_api"} 2');
    expect(text).toContain("process_resident_memory_bytes");
  });
});

describe("a dependency", () => {
  it.each<[BreakerState, boolean, string]>([
    ["closed", true, "healthy"],
    ["closed", false, "healthy"],
    ["half-open", false, "degraded"],
    ["open", true, "degraded"],
    ["open", false, "critical"],
  ])("whose breaker is %s is, with a fallback (%s), %s", (state, hasFallback, status) => {
    expect(statusOf(state, hasFallback)).toBe(status);
  });
});
