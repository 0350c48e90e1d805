import type { Client } from "@modelcontextprotocol/client";
import { smokeCall, type Smoke } from "../../release/measure/smoke-call.ts";
import { CITIES, type City } from "../weather/cities.ts";
import { conditionsAt } from "../weather/conditions.ts";
import type { Failure, Source } from "./sample.ts";

/** From a call sent to its answer. Time in line before that does not count. */
export const TIMEOUT_MS = 5000;

/** A call whose right answer is known before it is made. */
export interface Question {
  /** Makes the call in a client session. Throws what the client throws if there is no answer. */
  ask(client: Client): Promise<Judgment>;
}

/** What matters of a tool's result. */
interface Answer {
  readonly isError?: boolean | undefined;
  readonly structuredContent?: unknown;
  readonly content?: unknown;
}

export type Judgment =
  | { readonly right: true; readonly source?: Source }
  | { readonly right: false; readonly failure: Failure; readonly message: string };

/**
 * The weather somewhere; the stand-in's weather never changes, so a cached answer must be as right
 * as a live one.
 */
export function weatherIn(city: City): Question {
  const { temperatureCelsius: expected } = conditionsAt(city.latitude, city.longitude);
  return toolCall("get_weather_with_fallback", { city: city.name }, (answer) => {
    const { city: name, temperatureCelsius, source } = fields(answer.structuredContent);
    if (!isSource(source)) return wrong(`no source in ${JSON.stringify(answer.structuredContent)}`);
    // A static answer is a last resort and claims nothing about today.
    if (source !== "static" && (name !== city.name || temperatureCelsius !== expected)) {
      return wrong(`${city.name} has ${expected} °C, answered ${String(name)} ${String(temperatureCelsius)} °C`);
    }
    return { right: true, source };
  });
}

/**
 * Costs the same in every version, whatever a version does to the weather: the pulse by which a
 * switch is timed.
 */
export const pulse: Question = toolCall("simple_health", {}, () => ({ right: true }));

/**
 * The call by which an environment tells whether a version is right; without one, the list of tools
 * is not empty.
 */
export const smokeQuestion = (smoke: Smoke): Question => ({
  async ask(client) {
    const { wrong } = await smokeCall(client, smoke, AbortSignal.timeout(TIMEOUT_MS));
    return wrong === undefined ? { right: true } : { right: false, failure: "wrong-answer", message: wrong };
  },
});

/** Cities from all over the table, few enough that every pod has soon been asked for each. */
export const ASKED_FOR: readonly City[] = CITIES.filter((_, index) => index % 14 === 0);

function toolCall(name: string, args: Record<string, unknown>, judge: (answer: Answer) => Judgment): Question {
  return {
    async ask(client) {
      const answer: Answer = await client.callTool({ name, arguments: args }, { timeout: TIMEOUT_MS });
      if (answer.isError === true) return { right: false, failure: "tool", message: JSON.stringify(answer.content) };
      return judge(answer);
    },
  };
}

const wrong = (message: string): Judgment => ({ right: false, failure: "wrong-answer", message });

const fields = (value: unknown): Partial<Record<string, unknown>> =>
  typeof value === "object" && value !== null ? { ...value } : {};

const isSource = (value: unknown): value is Source => value === "live" || value === "cached" || value === "static";
