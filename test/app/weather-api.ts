import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";

type Answer = (request: IncomingMessage, response: ServerResponse, url: URL) => void;

/** A stand-in for Open-Meteo on 127.0.0.1. Berlin and Oslo exist; how it answers can change while calls are under way. */
export interface WeatherApi {
  readonly environment: { readonly WEATHER_GEOCODING_URL: string; readonly WEATHER_FORECAST_URL: string };
  /** Requests so far. */
  readonly requests: number;
  /** TCP connections so far. */
  readonly connections: number;
  /** Answers everything like this from now on; without an argument, rightly again. */
  answerWith(answer?: Answer): void;
  close(): Promise<void>;
}

const PLACES = [
  { name: "Berlin", country: "Germany", latitude: 52.52, longitude: 13.41 },
  { name: "Oslo", country: "Norway", latitude: 59.91, longitude: 10.75 },
];

export function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}

const rightly: Answer = (_request, response, url) => {
  if (url.pathname === "/search") {
    const name = url.searchParams.get("name")?.toLowerCase();
    const results = PLACES.filter((place) => place.name.toLowerCase() === name);
    json(response, 200, { ...(results.length > 0 && { results }), generationtime_ms: 0.1 });
    return;
  }
  json(response, 200, {
    latitude: Number(url.searchParams.get("latitude")),
    longitude: Number(url.searchParams.get("longitude")),
    current_units: { temperature_2m: "°C" },
    current: { time: "2026-07-28T14:15", interval: 900, temperature_2m: 21.5, wind_speed_10m: 11.2, weather_code: 3 },
  });
};

export async function startWeatherApi(): Promise<WeatherApi> {
  let answer = rightly;
  let requests = 0;
  let connections = 0;
  const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    requests += 1;
    answer(request, response, new URL(request.url ?? "/", "http://localhost"));
  });
  server.on("connection", () => {
    connections += 1;
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  return {
    environment: { WEATHER_GEOCODING_URL: `${base}/search`, WEATHER_FORECAST_URL: `${base}/forecast` },
    get requests() {
      return requests;
    },
    get connections() {
      return connections;
    },
    answerWith(next = rightly) {
      answer = next;
    },
    async close() {
      server.closeAllConnections();
      await once(server.close(), "close");
    },
  };
}
