import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import type { Client } from "@modelcontextprotocol/client";
import { connect, startTestApp, type RunningApp } from "./running-app.ts";
import { json, startWeatherApi, type WeatherApi } from "./weather-api.ts";

let api: WeatherApi;
let app: RunningApp;
let client: Client;

beforeEach(async () => {
  api = await startWeatherApi();
  app = await startTestApp({
    ...api.environment,
    CB_FAILURE_THRESHOLD: "2",
    CB_RECOVERY_TIMEOUT: "2s",
  });
  client = await connect(app.endpoint, "2026");
});

afterEach(async () => {
  await client.close();
  await app.close();
  await api.close();
});

async function weather(city: string, from = client): Promise<Record<string, unknown>> {
  const { structuredContent, content } = await from.callTool({
    name: "get_weather_with_fallback",
    arguments: { city },
  });
  return { ...(structuredContent as object), text: (content[0] as { text: string }).text };
}

async function stats(): Promise<{
  overall_health: string;
  breakers: { name: string; state: string; rejections: number }[];
}> {
  const { contents } = await client.readResource({ uri: "circuit-breaker://stats" });
  const all = JSON.parse((contents[0] as { text: string }).text) as Awaited<ReturnType<typeof stats>>;
  return { ...all, breakers: all.breakers.filter(({ name }) => name === "weather_api") };
}

const breakDown = () => {
  api.answerWith((_request, response) => {
    json(response, 500, {});
  });
};

describe("get_weather_with_fallback", () => {
  it("answers live, by the name that the geocoder gives the city", async () => {
    expect(await weather("  berlin ")).toEqual({
      city: "Berlin",
      country: "Germany",
      latitude: 52.52,
      longitude: 13.41,
      temperatureCelsius: 21.5,
      windSpeedKmh: 11.2,
      weatherCode: 3,
      observedAt: "2026-07-28T14:15:00.000Z",
      source: "live",
      text: "Berlin, Germany: 21.5 °C, wind 11.2 km/h at 2026-07-28T14:15:00.000Z.",
    });
  });

  it("looks a city's place up once and reuses its connections to the API", async () => {
    for (let call = 0; call < 10; call += 1) await weather(call % 2 === 0 ? "Berlin" : "BERLIN");

    expect(api.requests).toBe(1 + 10);
    expect(api.connections).toBeLessThanOrEqual(2);
  });

  it("answers with the last live answer while the API fails, and says that it is cached", async () => {
    await weather("Berlin");
    breakDown();

    expect(await weather("BERLIN")).toMatchObject({
      city: "Berlin",
      temperatureCelsius: 21.5,
      source: "cached",
      text: expect.stringContaining("last known answer"),
    });
  });

  it("answers with a static placeholder when there is nothing else, and says that it is no measurement", async () => {
    breakDown();

    expect(await weather("Oslo")).toMatchObject({
      city: "Oslo",
      source: "static",
      text: expect.stringMatching(/placeholder.*not a measurement/),
    });
  });

  it.each<[string, Parameters<WeatherApi["answerWith"]>[0]]>([
    ["an error status", (_request, response) => void response.writeHead(429).end()],
    ["a closed connection", (request) => request.socket.destroy()],
    ["something that is no JSON", (_request, response) => void response.end("<html>")],
    [
      "another shape",
      (_request, response) => {
        json(response, 200, { results: [{ name: "Berlin" }] });
      },
    ],
    [
      "a temperature that cannot be",
      (_request, response) => {
        json(response, 200, { current: { temperature_2m: 1e6 } });
      },
    ],
    ["a megabyte", (_request, response) => void response.end(" ".repeat(1_000_000))],
    ["a redirect", (_request, response) => void response.writeHead(302, { location: "http://127.0.0.1:9/" }).end()],
  ])("falls back when the API answers with %s", async (_what, answer) => {
    await weather("Berlin");
    api.answerWith(answer);

    expect(await weather("Berlin")).toMatchObject({ source: "cached", temperatureCelsius: 21.5 });
    expect(await weather("Oslo")).toMatchObject({ source: "static" });
  });

  describe("a request to the API that is not answered", () => {
    /** What becomes of it. */
    function hang() {
      const asked = Promise.withResolvers<undefined>();
      const cutOff = Promise.withResolvers<undefined>();
      api.answerWith((request) => {
        request.socket.once("close", () => {
          cutOff.resolve(undefined);
        });
        asked.resolve(undefined);
      });
      return { asked: asked.promise, cutOff: cutOff.promise };
    }

    it("is cut off when its time is over, and something else is the answer", async () => {
      const impatient = await startTestApp({ ...api.environment, CB_TIMEOUT: "1s" });
      const other = await connect(impatient.endpoint, "2026");
      expect(await weather("Berlin", other)).toMatchObject({ source: "live" });
      const { cutOff } = hang();

      expect(await weather("Berlin", other)).toMatchObject({ source: "cached", temperatureCelsius: 21.5 });
      expect(await weather("Oslo", other)).toMatchObject({ source: "static" });
      await cutOff;
      await other.close();
      await impatient.close();
    });

    it("is cut off when the client cancels the call, and tells the breaker nothing", async () => {
      const patient = await startTestApp({ ...api.environment, CB_FAILURE_THRESHOLD: "1" });
      const other = await connect(patient.endpoint, "2026");
      const { asked, cutOff } = hang();
      const abort = new AbortController();
      const call = other.callTool(
        { name: "get_weather_with_fallback", arguments: { city: "Oslo" } },
        { signal: abort.signal },
      );
      await asked;
      abort.abort("no longer wanted");

      await expect(call).rejects.toThrow();
      await cutOff;
      const health = await fetch(`${patient.admin}/health`);
      expect(await health.json()).toMatchObject({ dependencies: { weather_api: { breaker: "closed" } } });
      await other.close();
      await patient.close();
    });
  });

  it("stops asking once the breaker is open, shows it as degraded, and asks again after the recovery time", async () => {
    await weather("Berlin");
    breakDown();
    await weather("Berlin");
    await weather("Berlin");
    const asked = api.requests;
    expect(await weather("Berlin")).toMatchObject({ source: "cached" });
    expect(api.requests).toBe(asked);
    expect(await stats()).toMatchObject({
      overall_health: "degraded",
      breakers: [{ name: "weather_api", state: "open", rejections: 1, failures: 2 }],
    });

    api.answerWith();
    // The recovery time itself is the event: there is nothing else that tells of it.
    while ((await weather("Berlin")).source !== "live") await new Promise((resolve) => setTimeout(resolve, 20));
    expect(await stats()).toMatchObject({ overall_health: "healthy", breakers: [{ state: "closed" }] });
  });

  it("asks once more when one call in ten fails, as long as the caller's time lasts and no longer than the API wishes", async () => {
    const patient = await startTestApp({ ...api.environment, CB_TIMEOUT: "5s" });
    const other = await connect(patient.endpoint, "2026");
    const ask = () => other.callTool({ name: "get_weather_with_fallback", arguments: { city: "Berlin" } });
    const stumble = (retryAfter: string) => {
      api.answerWith((_request, response) => {
        api.answerWith();
        response.writeHead(503, { "retry-after": retryAfter }).end();
      });
    };
    for (let call = 0; call < 20; call += 1) await ask();

    stumble("0");
    expect((await ask()).structuredContent).toMatchObject({ source: "live" });
    stumble("60");
    expect((await ask()).structuredContent).toMatchObject({ source: "cached" });
    await other.close();
    await patient.close();
  });

  it("never opens the breaker for cities that do not exist", async () => {
    for (const city of ["Atlantis", "Avalon", "El Dorado"]) await weather(city);

    expect(await stats()).toMatchObject({ overall_health: "healthy", breakers: [{ state: "closed" }] });
  });

  it("forgets an answer that is older than WEATHER_CACHE_TTL", async () => {
    const forgetful = await startTestApp({ ...api.environment, WEATHER_CACHE_TTL: "0ms" });
    const other = await connect(forgetful.endpoint, "2026");
    const ask = () => other.callTool({ name: "get_weather_with_fallback", arguments: { city: "Berlin" } });
    await ask();
    breakDown();
    await new Promise((resolve) => setTimeout(resolve, 20));

    expect((await ask()).structuredContent).toMatchObject({ source: "static" });
    await other.close();
    await forgetful.close();
  });
});
