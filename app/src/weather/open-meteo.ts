import { z } from "zod";
import { boundedText } from "../outbound/bounded-text.ts";
import { UpstreamFailure } from "../outbound/upstream-failure.ts";
import { parseRetryAfter } from "../resilience/retry-after.ts";

/** Open-Meteo's answers have 1 to 2 KB. */
const MAX_ANSWER_BYTES = 64 * 1024;

/** An unknown name has no `results`. `generationtime_ms` is in every valid answer. */
const geocodingAnswer = z.object({
  generationtime_ms: z.number(),
  results: z
    .array(
      z.object({
        name: z.string().min(1).max(200),
        country: z.string().max(200).optional(),
        latitude: z.number().min(-90).max(90),
        longitude: z.number().min(-180).max(180),
      }),
    )
    .optional(),
});

const forecastAnswer = z.object({
  current: z.object({
    /** GMT without a zone, to the minute: `2026-07-28T14:15`. */
    time: z.iso.datetime({ local: true }),
    temperature_2m: z.number().min(-100).max(70),
    wind_speed_10m: z.number().min(0).max(600),
    weather_code: z.number().int().min(0).max(99),
  }),
});

export const place = z.object({
  city: z.string().describe("The city that was found, by its common name"),
  country: z.string().exactOptional(),
  latitude: z.number(),
  longitude: z.number(),
});

export type Place = Readonly<z.output<typeof place>>;

export const currentWeather = z.object({
  temperatureCelsius: z.number(),
  windSpeedKmh: z.number(),
  /** 4677, as Open-Meteo uses it. */
  weatherCode: z.number().describe("WMO weather code"),
  observedAt: z.string().describe("When it was measured, ISO 8601, UTC"),
});

export type CurrentWeather = Readonly<z.output<typeof currentWeather>>;

/**
 * The two calls of Open-Meteo's API. Status, size and shape of each answer are checked. `fetch`
 * reuses connections.
 *
 * @see https://open-meteo.com/en/docs
 * @see https://open-meteo.com/en/docs/geocoding-api
 */
export class OpenMeteo {
  readonly #geocodingUrl: string;
  readonly #forecastUrl: string;

  constructor(options: { readonly geocodingUrl: string; readonly forecastUrl: string }) {
    this.#geocodingUrl = options.geocodingUrl;
    this.#forecastUrl = options.forecastUrl;
  }

  /** The best match for a name, or undefined. */
  async findPlace(name: string, signal: AbortSignal): Promise<Place | undefined> {
    const query = { name, count: "1" };
    const { results } = await getJson(this.#geocodingUrl, query, geocodingAnswer, signal);
    const match = results?.[0];
    if (match === undefined) return undefined;
    const { name: city, country, latitude, longitude } = match;
    return { city, ...(country === undefined ? {} : { country }), latitude, longitude };
  }

  async currentWeather(place: Place, signal: AbortSignal): Promise<CurrentWeather> {
    const query = {
      latitude: String(place.latitude),
      longitude: String(place.longitude),
      current: "temperature_2m,wind_speed_10m,weather_code",
    };
    const { current } = await getJson(this.#forecastUrl, query, forecastAnswer, signal);
    return {
      temperatureCelsius: current.temperature_2m,
      windSpeedKmh: current.wind_speed_10m,
      weatherCode: current.weather_code,
      observedAt: new Date(`${current.time}Z`).toISOString(),
    };
  }
}

async function getJson<S extends z.ZodType>(
  base: string,
  query: Readonly<Record<string, string>>,
  schema: S,
  signal: AbortSignal,
): Promise<z.output<S>> {
  const url = new URL(base);
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  // A redirect would let the upstream choose the host.
  const response = await fetch(url, { signal, redirect: "error", headers: { accept: "application/json" } });
  if (!response.ok) {
    await response.body?.cancel();
    throw new UpstreamFailure(`${url.host} answered ${response.status}`, {
      isTransient: response.status === 429 || response.status >= 500,
      retryAfterMs: parseRetryAfter(response.headers.get("retry-after")),
    });
  }
  const text = await boundedText(response, MAX_ANSWER_BYTES, () =>
    unusable(`${url.host} answered with more than ${MAX_ANSWER_BYTES} bytes`),
  );
  const result = schema.safeParse(parse(text, url.host));
  if (!result.success) throw unusable(`${url.host} answered in an unknown shape: ${z.prettifyError(result.error)}`);
  return result.data;
}

function parse(text: string, host: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw unusable(`${host} did not answer with JSON`);
  }
}

/** An answer that a retry would not change. */
const unusable = (message: string) => new UpstreamFailure(message, { isTransient: false });
