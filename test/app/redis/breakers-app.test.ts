import { expect, it } from "@jest/globals";
import { describeWithRedis } from "../../redis/describe.ts";
import { startRedis } from "../../redis/server.ts";
import { connect, startTestApp, type RunningApp } from "../running-app.ts";
import { json, startWeatherApi } from "../weather-api.ts";
import { intervals } from "./pods.ts";

interface Stats {
  readonly breakers: readonly { readonly name: string; readonly state: string }[];
  readonly history: readonly { readonly breaker: string; readonly reason: string; readonly pod?: string }[];
}

async function askWeather(app: RunningApp): Promise<void> {
  const client = await connect(app.endpoint, "2026");
  await client.callTool({ name: "get_weather_with_fallback", arguments: { city: "Berlin" } });
  await client.close();
}

async function stats(app: RunningApp): Promise<Stats> {
  const client = await connect(app.endpoint, "2026");
  const { contents } = await client.readResource({ uri: "circuit-breaker://stats" });
  await client.close();
  const [content] = contents;
  return JSON.parse(content !== undefined && "text" in content ? content.text : "") as Stats;
}

describeWithRedis("an app whose others have found the weather API down", () => {
  it("does not ask it, and shows in resource and metrics what they decided", async () => {
    const [redis, api] = await Promise.all([startRedis(), startWeatherApi()]);
    const environment = { ...api.environment, REDIS_URL: redis.restrictedUrl, CB_STATE_SYNC: "100ms" };
    const apps = await Promise.all(
      [1, 2, 3].map(() => startTestApp({ ...environment, CB_FAILURE_THRESHOLD: "1", WEATHER_CACHE_TTL: "1ms" })),
    );
    try {
      const [one, other, blind] = apps;
      if (one === undefined || other === undefined || blind === undefined) throw new Error("no apps");
      await intervals(10);
      api.answerWith((_request, response) => {
        json(response, 503, {});
      });
      await askWeather(one);
      await askWeather(other);
      let seen: Stats = { breakers: [], history: [] };
      const isOpen = () => seen.breakers.some(({ name, state }) => name === "weather_api" && state === "open");
      while (!isOpen() || seen.history.length === 0) seen = await stats(blind);
      const { requests } = api;
      await askWeather(blind);

      expect(api.requests).toBe(requests);
      expect(seen.history).toContainEqual(expect.objectContaining({ breaker: "weather_api", reason: "quorum" }));
      const metrics = await fetch(`${blind.admin}/metrics/circuit_breaker`).then((response) => response.text());
      expect(metrics).toContain("mcp_breaker_cluster_shared 1");
      expect(metrics).toContain("mcp_breaker_cluster_open 1");
    } finally {
      await Promise.all(apps.map((app) => app.close()));
      await Promise.all([redis.close(), api.close()]);
    }
  }, 15_000);
});
