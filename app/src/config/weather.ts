import type { z } from "zod";
import { duration, url } from "./kinds.ts";

/** Where the weather comes from. */
export const weatherVariables = {
  WEATHER_GEOCODING_URL: url
    .prefault("https://geocoding-api.open-meteo.com/v1/search")
    .describe("Where cities are looked up, in Open-Meteo's format."),
  WEATHER_FORECAST_URL: url
    .prefault("https://api.open-meteo.com/v1/forecast")
    .describe("Where the current weather is asked for, in Open-Meteo's format."),
  WEATHER_CACHE_TTL: duration("0s", "168h")
    .prefault("1h")
    .describe("How old the last answer for a city may be and still stand in while the weather API fails."),
};

type Values = z.output<z.ZodObject<typeof weatherVariables>>;

export function weatherConfig(values: Values) {
  return {
    geocodingUrl: values.WEATHER_GEOCODING_URL,
    forecastUrl: values.WEATHER_FORECAST_URL,
    cacheTtl: values.WEATHER_CACHE_TTL,
  };
}

/** Durations are milliseconds. */
export type WeatherConfig = ReturnType<typeof weatherConfig>;
