import { z } from "zod";
import type { Cache } from "../cache/cache.ts";
import type { Caches } from "../cache/caches.ts";
import type { BreakerSettings } from "../config/breakers.ts";
import { ToolInputError } from "../errors/tool-input-error.ts";
import { isTransient } from "../outbound/attempts.ts";
import type { Breaker } from "../resilience/breaker.ts";
import type { BreakerRegistry } from "../resilience/breaker-registry.ts";
import type { Call, Policy } from "../resilience/call.ts";
import { compose } from "../resilience/compose.ts";
import { Fallback } from "../resilience/fallback.ts";
import { RetryBudget } from "../resilience/retry-budget.ts";
import { Retry } from "../resilience/retry.ts";
import { currentWeather, OpenMeteo, place, type Place } from "./open-meteo.ts";

/** Milliseconds for which places are cached. */
const DAY = 24 * 3_600_000;

/** Milliseconds for which an unknown name is cached. */
const UNKNOWN_FOR = 60_000;

/** The Earth's mean surface temperature, which nobody takes for a measurement. */
const STATIC_TEMPERATURE_CELSIUS = 15;

const reading = z.object({ ...place.shape, ...currentWeather.shape });

type Reading = z.output<typeof reading>;

export const weatherAnswer = z.object({
  ...reading.partial().shape,
  city: place.shape.city,
  temperatureCelsius: z.number(),
  source: z
    .enum(["live", "cached", "static"])
    .describe("live: measured now; cached: the last known answer; static: a placeholder, not a measurement"),
});

export type WeatherAnswer = Readonly<z.output<typeof weatherAnswer>>;

/** There is no place of this name. This is not a failure of the weather API. */
export class UnknownCity extends ToolInputError {
  override readonly name = "UnknownCity";

  constructor(city: string) {
    super(
      `No city named '${city}' was found. Check the spelling, use the city's English or local name, and leave out street, region and country.`,
    );
  }
}

export interface WeatherOptions {
  readonly geocodingUrl: string;
  readonly forecastUrl: string;
  /** Milliseconds for which the last answer may replace a live one. */
  readonly cacheTtl: number;
  readonly breakers: BreakerRegistry;
  readonly caches: Caches;
  /** Settings of its breaker; `timeout` is for all attempts of an answer. */
  readonly settings: BreakerSettings;
}

/**
 * The current weather, with fallbacks: live through a circuit breaker with few retries, or the last
 * answer for the city, or a static one. Each answer names its source.
 */
export class Weather {
  readonly breaker: Breaker;
  readonly budget = new RetryBudget();
  readonly #guarded: Policy;
  readonly #api: OpenMeteo;
  /** Never fresh: each call fetches, and the last answer is used after a failure. */
  readonly #readings: Cache<Reading>;
  readonly #places: Cache<Place>;

  constructor(options: WeatherOptions) {
    const { breakers, caches, settings, cacheTtl } = options;
    this.#api = new OpenMeteo(options);
    this.#readings = caches.create(
      {
        name: "weather",
        ttl: 0,
        staleIfError: cacheTtl,
        negative: { isAnswer: (error) => error instanceof UnknownCity, ttl: UNKNOWN_FOR },
        timeout: settings.timeout,
      },
      { version: 1, schema: reading },
    );
    this.#places = caches.create({ name: "places", ttl: DAY }, { version: 1, schema: place });
    this.breaker = breakers.create({
      ...settings,
      name: "weather_api",
      // The API works; the unknown name is the caller's error.
      judge: (error) => (error instanceof UnknownCity ? "success" : "failure"),
    });
    this.#guarded = compose({
      retry: new Retry({ name: "weather_api", budget: this.budget, isRetryable: isTransient }),
      breaker: this.breaker,
    });
  }

  /**
   * @param call - is retried only if it is repeatable
   * @throws UnknownCity when the weather API has no such place
   * @throws the call's reason when its caller went away
   */
  async current(city: string, call: Call): Promise<WeatherAnswer> {
    const key = normalize(city);
    const fallback = new Fallback({
      handles: (error) => !(error instanceof UnknownCity),
      answer: (): WeatherAnswer => ({ city, temperatureCelsius: STATIC_TEMPERATURE_CELSIUS, source: "static" }),
    });
    return fallback.execute(async (inner) => {
      const { value, source } = await this.#readings.fetch(key, (load) => this.#load(city, key, load), inner);
      return { ...value, source: source === "computed" ? "live" : "cached" };
    }, call);
  }

  #load(city: string, key: string, load: Call): Promise<Reading> {
    return this.#guarded.execute(async (attempt) => {
      const { value } = await this.#places.fetch(key, (search) => this.#find(city, search), attempt);
      return { ...value, ...(await this.#api.currentWeather(value, attempt.signal)) };
    }, load);
  }

  async #find(city: string, { signal }: Call): Promise<Place> {
    const found = await this.#api.findPlace(city, signal);
    if (found === undefined) throw new UnknownCity(city);
    return found;
  }
}

/** One key for all spellings that differ in case, spaces or Unicode form. */
function normalize(city: string): string {
  return city.normalize("NFKC").trim().replace(/\s+/g, " ").toLowerCase();
}
