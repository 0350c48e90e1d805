import type { Services } from "../services.ts";
import { getWeatherWithFallback } from "./get-weather-with-fallback.ts";
import { healthCheck } from "./health-check.ts";
import { simpleHealth } from "./simple-health.ts";
import type { Tool } from "./tool.ts";

/** Every tool, in the order clients see them. A new tool is a new file and a line here. */
export function createTools({ weather, health }: Services): readonly Tool[] {
  return [getWeatherWithFallback(weather), healthCheck(health), simpleHealth()];
}
