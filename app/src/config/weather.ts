import type { z } from "zod";
import { duration, url } from "./kinds.ts";

export const weatherVariables = {
  WEATHER_GEOCODING_URL: url
    .prefault("https://geocoding-api.open-meteo.com/v1/search")
    .describe("URL that finds cities, with Open-Meteo's API."),
  WEATHER_FORECAST_URL: url
    .prefault("https://api.open-meteo.com/v1/forecast")
    .describe("URL of the current weather, with Open-Meteo's API."),
  WEATHER_CACHE_TTL: duration("0s", "168h")
    .prefault("1h")
    .describe("Largest age of the last answer for a city that is used while the weather API fails."),
};

type Values = z.output<z.ZodObject<typeof weatherVariables>>;

export function weatherConfig(values: Values) {
  return {
    geocodingUrl: values.WEATHER_GEOCODING_URL,
    forecastUrl: values.WEATHER_FORECAST_URL,
    cacheTtl: values.WEATHER_CACHE_TTL,
  };
}
