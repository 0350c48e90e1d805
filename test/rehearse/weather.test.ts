import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { CITIES } from "../../rehearse/weather/cities.ts";
import { conditionsAt } from "../../rehearse/weather/conditions.ts";
import { startWeather, type WeatherStandIn } from "../../rehearse/weather/stand-in.ts";

describe("the weather stand-in", () => {
  let weather: WeatherStandIn;
  beforeAll(async () => {
    weather = await startWeather();
  });
  afterAll(() => weather.close());

  const get = async (url: string) => {
    const response = await fetch(url);
    return { status: response.status, body: await response.json() };
  };
  const forecast = (query: string) => get(`${weather.forecastUrl}?${query}`);

  it("finds a city as Open-Meteo's geocoder does, whatever its case", async () => {
    const { status, body } = await get(`${weather.geocodingUrl}?name=berlin&count=1&language=en&format=json`);

    expect(status).toBe(200);
    expect(body).toMatchObject({
      results: [{ name: "Berlin", latitude: 52.52, longitude: 13.41, country: "Germany", country_code: "DE" }],
      generationtime_ms: expect.any(Number),
    });
  });

  it("leaves `results` out for a city that does not exist", async () => {
    expect(await get(`${weather.geocodingUrl}?name=Atlantis`)).toEqual({
      status: 200,
      body: { generationtime_ms: 0.5 },
    });
  });

  it("gives the current conditions that were asked for, with their units", async () => {
    const { body } = await forecast("latitude=52.52&longitude=13.41&current=temperature_2m,wind_speed_10m");

    const { temperatureCelsius, windSpeedKmh } = conditionsAt(52.52, 13.41);
    expect(body).toMatchObject({
      latitude: 52.52,
      timezone: "GMT",
      current_units: { time: "iso8601", interval: "seconds", temperature_2m: "°C", wind_speed_10m: "km/h" },
      current: {
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:(00|15|30|45)$/),
        interval: 900,
        temperature_2m: temperatureCelsius,
        wind_speed_10m: windSpeedKmh,
      },
    });
  });

  it.each(["latitude=100&longitude=0", "longitude=0", "latitude=0&longitude=0&current=mood"])(
    "refuses '%s' with a reason",
    async (query) => {
      expect(await forecast(query)).toMatchObject({ status: 400, body: { error: true, reason: expect.any(String) } });
    },
  );

  it("knows a few hundred cities, each with weather of its own and none in Fahrenheit", () => {
    expect(CITIES.length).toBeGreaterThan(200);
    const temperatures = CITIES.map(({ latitude, longitude }) => conditionsAt(latitude, longitude).temperatureCelsius);
    expect(Math.min(...temperatures)).toBeGreaterThan(0);
    expect(Math.max(...temperatures)).toBeLessThan(45);
    expect(new Set(temperatures).size).toBeGreaterThan(100);
  });

  it("while broken, answers 500 and closes sockets in turns, and is well again when told", async () => {
    weather.become({ mode: "broken" });
    const url = `${weather.geocodingUrl}?name=Berlin`;
    const tries = [];
    for (let call = 0; call < 4; call++) {
      tries.push(
        await fetch(url, { headers: { connection: "close" } }).then(
          ({ status }) => status,
          () => "closed",
        ),
      );
    }
    weather.become({ mode: "normal" });

    expect(tries.toSorted()).toEqual([500, 500, "closed", "closed"]);
    expect((await get(url)).status).toBe(200);
  });

  it("while slow, answers right and late", async () => {
    weather.become({ mode: "slow", delayMs: 150 });
    const begun = performance.now();
    const { body } = await get(`${weather.geocodingUrl}?name=Paris`);
    weather.become({ mode: "normal" });

    expect(body).toMatchObject({ results: [{ name: "Paris" }] });
    expect(performance.now() - begun).toBeGreaterThanOrEqual(145);
  });
});
