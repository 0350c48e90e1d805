import { LRUCache } from "lru-cache";
import type { BreakerSettings } from "../config/breakers.ts";
import type { Breaker } from "../resilience/breaker.ts";
import type { BreakerRegistry } from "../resilience/breaker-registry.ts";
import type { Call, Policy } from "../resilience/call.ts";
import { compose } from "../resilience/compose.ts";
import { Deadline } from "../resilience/deadline.ts";
import { Fallback } from "../resilience/fallback.ts";
import { Rejected } from "../resilience/rejection.ts";
import { RetryBudget } from "../resilience/retry-budget.ts";
import { Retry } from "../resilience/retry.ts";
import { CallerMistake } from "../tools/tool.ts";
import { BadUpstreamAnswer, OpenMeteo, type Place } from "./open-meteo.ts";

/** Cities remembered; some 300 bytes each. */
const MAX_CITIES = 2000;

/** The Earth's mean surface temperature: a number of the right kind that nobody will take for a measurement. */
const STATIC_TEMPERATURE_CELSIUS = 15;

export interface WeatherAnswer {
  readonly city: string;
  readonly country?: string;
  readonly latitude?: number;
  readonly longitude?: number;
  readonly temperatureCelsius: number;
  readonly windSpeedKmh?: number;
  readonly weatherCode?: number;
  readonly observedAt?: string;
  /** `live`: asked just now. `cached`: the last answer there was. `static`: no measurement at all. */
  readonly source: "live" | "cached" | "static";
}

/** No place has this name: not a failure of the weather API. */
export class UnknownCity extends CallerMistake {
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
  /** Milliseconds that a last answer may stand in for a live one. */
  readonly cacheTtl: number;
  /** Where its breaker is kept. */
  readonly breakers: BreakerRegistry;
  /** Of its breaker; `timeout` is what a whole answer may take, other attempts included. */
  readonly settings: BreakerSettings;
}

/**
 * The current weather, always: live, through a circuit breaker and with few and careful retries, else the last answer for that city,
 * else a static one. Each answer says which it is.
 */
export class Weather {
  readonly breaker: Breaker;
  readonly budget = new RetryBudget();
  readonly #guarded: Policy;
  readonly #api: OpenMeteo;
  readonly #lastAnswers: LRUCache<string, WeatherAnswer>;
  /** Cities do not move: their coordinates are asked for once. */
  readonly #places = new LRUCache<string, Place>({ max: MAX_CITIES });

  constructor(options: WeatherOptions) {
    this.#api = new OpenMeteo(options);
    // To the cache, a time to live of 0 is forever.
    this.#lastAnswers = new LRUCache({ max: MAX_CITIES, ttl: Math.max(1, options.cacheTtl) });
    this.breaker = options.breakers.create({
      ...options.settings,
      name: "weather_api",
      // The API has answered; that no place has the name is the caller's mistake.
      judge: (error) => (error instanceof UnknownCity ? "success" : "failure"),
    });
    this.#guarded = compose({
      deadline: new Deadline({ timeout: options.settings.timeout }),
      retry: new Retry({ name: "weather_api", budget: this.budget, isRetryable: mayPass }),
      breaker: this.breaker,
    });
  }

  /**
   * @throws UnknownCity when the weather API knows no such place
   * @param call only one that is repeatable is tried again
   * @throws the call's reason when its caller went away
   */
  async current(city: string, call: Call): Promise<WeatherAnswer> {
    const key = normalize(city);
    const fallback = new Fallback({
      handles: (error) => !(error instanceof UnknownCity),
      answer: (): WeatherAnswer =>
        this.#lastAnswers.get(key) ?? { city, temperatureCelsius: STATIC_TEMPERATURE_CELSIUS, source: "static" },
    });
    return fallback.execute(
      (inner) => this.#guarded.execute((attempt) => this.#ask(city, key, attempt.signal), inner),
      call,
    );
  }

  async #ask(city: string, key: string, signal: AbortSignal): Promise<WeatherAnswer> {
    let place = this.#places.get(key);
    if (place === undefined) {
      place = await this.#api.findPlace(city, signal);
      if (place === undefined) throw new UnknownCity(city);
      this.#places.set(key, place);
    }
    const answer: WeatherAnswer = { ...place, ...(await this.#api.currentWeather(place, signal)), source: "live" };
    this.#lastAnswers.set(key, { ...answer, source: "cached" });
    return answer;
  }
}

/** Whether another attempt may be answered, where this one was not. */
function mayPass(error: unknown): boolean {
  if (error instanceof BadUpstreamAnswer) return error.mayPass;
  return !(error instanceof UnknownCity || error instanceof Rejected);
}

/** One key for all spellings that differ only in case, spaces or Unicode form. */
function normalize(city: string): string {
  return city.normalize("NFKC").trim().replace(/\s+/g, " ").toLowerCase();
}
