import type { Services } from "../services.ts";
import { getWeatherWithFallback } from "./get-weather-with-fallback.ts";
import { healthCheck } from "./health-check.ts";
import { resilientApiCall } from "./resilient-api-call.ts";
import { retryApiCall } from "./retry-api-call.ts";
import { simpleHealth } from "./simple-health.ts";
import type { Tool } from "./tool.ts";

/** Every tool, in the order clients see them. A new tool is a new file and a line here. */
export function createTools({ weather, outbound, health }: Services): readonly Tool[] {
  return [
    getWeatherWithFallback(weather),
    resilientApiCall(outbound),
    retryApiCall(outbound),
    healthCheck(health),
    simpleHealth(),
  ];
}
