import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { cityNamed, type City } from "./cities.ts";
import { conditionsAt } from "./conditions.ts";
import type { Mood } from "./mood.ts";

/** A stand-in for Open-Meteo on 127.0.0.1: the geocoding and forecast APIs in their own format, with weather that never changes. */
export interface WeatherStandIn {
  /** For `WEATHER_GEOCODING_URL`. */
  readonly geocodingUrl: string;
  /** For `WEATHER_FORECAST_URL`. */
  readonly forecastUrl: string;
  readonly mood: Mood;
  become(mood: Mood): void;
  close(): Promise<void>;
}

export async function startWeather(port = 0): Promise<WeatherStandIn> {
  let mood: Mood = { mode: "normal" };
  let turn = 0;
  const server = createServer((request, response) => {
    if (mood.mode === "broken" && turn++ % 2 === 0) {
      request.socket.destroy();
    } else if (mood.mode === "broken") {
      answer(response, 500, { error: true, reason: "Internal server error" });
    } else if (mood.mode === "slow") {
      // A caller that gives up closes its socket; answering it then is harmless.
      void delay(mood.delayMs).then(() => {
        route(request, response);
      });
    } else {
      route(request, response);
    }
  });
  // Longer than any client keeps an idle connection, so that the stand-in itself never breaks one.
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(port, "127.0.0.1", resolve);
  });
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    geocodingUrl: `${base}/v1/search`,
    forecastUrl: `${base}/v1/forecast`,
    get mood() {
      return mood;
    },
    become(next) {
      mood = next;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}

function route(request: IncomingMessage, response: ServerResponse): void {
  const url = new URL(request.url ?? "/", "http://stand-in");
  if (url.pathname === "/v1/search") search(url.searchParams, response);
  else if (url.pathname === "/v1/forecast") forecast(url.searchParams, response);
  else answer(response, 404, { error: true, reason: "Not Found" });
}

/** @see https://open-meteo.com/en/docs/geocoding-api */
function search(query: URLSearchParams, response: ServerResponse): void {
  const name = query.get("name");
  if (name === null) {
    refuse(response, "Parameter 'name' is required");
    return;
  }
  const city = cityNamed(name);
  // Open-Meteo leaves `results` out when there is none.
  answer(response, 200, { ...(city && { results: [result(city)] }), generationtime_ms: 0.5 });
}

const result = (city: City) => ({
  id: Math.round((city.latitude + 90) * 100) * 36_000 + Math.round((city.longitude + 180) * 100),
  name: city.name,
  latitude: city.latitude,
  longitude: city.longitude,
  elevation: 100,
  feature_code: "PPLC",
  country_code: city.countryCode,
  timezone: "GMT",
  country: city.country,
});

/** @see https://open-meteo.com/en/docs */
function forecast(query: URLSearchParams, response: ServerResponse): void {
  const latitude = coordinate(query.get("latitude"), 90);
  const longitude = coordinate(query.get("longitude"), 180);
  if (latitude === undefined || longitude === undefined) {
    refuse(response, "Latitude must be in range of -90 to 90° and longitude in range of -180 to 180°.");
    return;
  }
  const variables = query.getAll("current").flatMap((list) => list.split(","));
  const unknown = variables.find((variable) => !(variable in UNITS));
  if (unknown !== undefined) {
    refuse(
      response,
      `Data corrupted at path ''. Cannot initialize CurrentVariable from invalid String value ${unknown}.`,
    );
    return;
  }
  const weather = conditionsAt(latitude, longitude);
  const values: Readonly<Record<string, number>> = {
    temperature_2m: weather.temperatureCelsius,
    wind_speed_10m: weather.windSpeedKmh,
    weather_code: weather.weatherCode,
  };
  answer(response, 200, {
    latitude,
    longitude,
    generationtime_ms: 0.05,
    utc_offset_seconds: 0,
    timezone: "GMT",
    timezone_abbreviation: "GMT",
    elevation: 100,
    ...(variables.length > 0 && {
      current_units: { time: "iso8601", interval: "seconds", ...pick(UNITS, variables) },
      current: { time: quarterHour(new Date()), interval: 900, ...pick(values, variables) },
    }),
  });
}

const UNITS: Readonly<Record<string, string>> = {
  temperature_2m: "°C",
  wind_speed_10m: "km/h",
  weather_code: "wmo code",
};

function coordinate(text: string | null, limit: number): number | undefined {
  const value = text === null || text === "" ? NaN : Number(text);
  return Math.abs(value) <= limit ? value : undefined;
}

const pick = <T>(from: Readonly<Record<string, T>>, names: readonly string[]) =>
  Object.fromEntries(names.map((name) => [name, from[name]]));

/** Open-Meteo's current conditions are of the last quarter of an hour, written without seconds or zone. */
const quarterHour = (now: Date): string =>
  new Date(Math.floor(now.getTime() / 900_000) * 900_000).toISOString().slice(0, 16);

const refuse = (response: ServerResponse, reason: string): void => {
  answer(response, 400, { error: true, reason });
};

function answer(response: ServerResponse, status: number, body: unknown): void {
  const text = JSON.stringify(body);
  response.writeHead(status, {
    "content-type": "application/json; charset=utf-8",
    "content-length": Buffer.byteLength(text),
  });
  response.end(text);
}
