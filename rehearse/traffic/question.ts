import { CITIES, type City } from "../weather/cities.ts";
import { conditionsAt } from "../weather/conditions.ts";
import type { Failure, Source } from "./sample.ts";

/** A tool call whose right answer is known before it is asked. */
export interface Question {
  readonly tool: string;
  readonly arguments: Readonly<Record<string, unknown>>;
  judge(answer: Answer): Judgment;
}

/** What matters of a tool's result. */
export interface Answer {
  readonly isError?: boolean | undefined;
  readonly structuredContent?: unknown;
  readonly content?: unknown;
}

export type Judgment =
  | { readonly right: true; readonly source?: Source }
  | { readonly right: false; readonly failure: Failure; readonly message: string };

/** The weather somewhere; the stand-in's weather never changes, so a cached answer must be as right as a live one. */
export function weatherIn(city: City): Question {
  const { temperatureCelsius: expected } = conditionsAt(city.latitude, city.longitude);
  return {
    tool: "get_weather_with_fallback",
    arguments: { city: city.name },
    judge(answer) {
      if (answer.isError === true) return { right: false, failure: "tool", message: JSON.stringify(answer.content) };
      const { city: name, temperatureCelsius, source } = fields(answer.structuredContent);
      if (!isSource(source)) return wrong(`no source in ${JSON.stringify(answer.structuredContent)}`);
      // A static answer is a last resort and claims nothing about today.
      if (source !== "static" && (name !== city.name || temperatureCelsius !== expected)) {
        return wrong(`${city.name} has ${expected} °C, answered ${String(name)} ${String(temperatureCelsius)} °C`);
      }
      return { right: true, source };
    },
  };
}

/** Costs the same in every version, whatever a version does to the weather: the pulse by which a switch is timed. */
export const pulse: Question = {
  tool: "simple_health",
  arguments: {},
  judge: (answer) =>
    answer.isError === true
      ? { right: false, failure: "tool", message: JSON.stringify(answer.content) }
      : { right: true },
};

/** Cities from all over the table, few enough that every pod has soon been asked for each. */
export const ASKED_FOR: readonly City[] = CITIES.filter((_, index) => index % 14 === 0);

const wrong = (message: string): Judgment => ({ right: false, failure: "wrong-answer", message });

const fields = (value: unknown): Partial<Record<string, unknown>> =>
  typeof value === "object" && value !== null ? { ...value } : {};

const isSource = (value: unknown): value is Source => value === "live" || value === "cached" || value === "static";
