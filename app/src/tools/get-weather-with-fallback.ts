import { z } from "zod";
import { weatherAnswer, type Weather, type WeatherAnswer } from "../weather/weather.ts";
import { argumentsOf } from "./arguments.ts";
import { answer, type Tool } from "./tool.ts";

const inputSchema = argumentsOf({
  city: z
    .string("must be the name of a city, such as 'Berlin'")
    .trim()
    .min(1, "must not be empty: name a city, such as 'Berlin'")
    .max(100, "must be at most 100 characters: the name of a city, without street, region or country")
    .describe("Name of the city, such as 'Berlin' or 'São Paulo'"),
});

/** The current weather of a city, whatever happens to the weather API. */
export function getWeatherWithFallback(weather: Weather): Tool<z.output<typeof inputSchema>> {
  return {
    name: "get_weather_with_fallback",
    title: "Current weather",
    description:
      "Current weather of a city. Answers even while the weather service is down: `source` says whether the answer is live, the last one known, or only a placeholder.",
    inputSchema,
    outputSchema: weatherAnswer,
    annotations: { readOnlyHint: true, idempotentHint: true, openWorldHint: true },
    async handle({ city }, { call }) {
      const found = await weather.current(city, call);
      return answer(found, describe(found));
    },
  };
}

function describe(found: WeatherAnswer): string {
  const { city, country, temperatureCelsius, windSpeedKmh, observedAt, source } = found;
  if (source === "static") {
    return `The weather service is unreachable and there is no recent answer for ${city}. ${temperatureCelsius} °C is a placeholder (the Earth's mean), not a measurement: tell the user that the weather is unknown, or try again in a minute.`;
  }
  const where = country === undefined ? city : `${city}, ${country}`;
  const wind = windSpeedKmh === undefined ? "" : `, wind ${windSpeedKmh} km/h`;
  const when = observedAt === undefined ? "" : ` at ${observedAt}`;
  const caveat = source === "cached" ? " This is the last known answer: the weather service is unreachable." : "";
  return `${where}: ${temperatureCelsius} °C${wind}${when}.${caveat}`;
}
