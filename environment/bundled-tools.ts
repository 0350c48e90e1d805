import { nearestOf } from "./nearest.ts";

/** The tools of the bundled app, which its variable `TOOLS` may name. A test compares them with the app's. */
export const BUNDLED_TOOLS: readonly string[] = [
  "get_weather_with_fallback",
  "resilient_api_call",
  "retry_api_call",
  "load_balanced_request",
  "rate_limited_operation",
  "async_batch_requests",
  "async_parallel_processing",
  "cached_expensive_operation",
  "store_data_resilient",
  "get_data",
  "breaker_control",
  "update_weight",
  "health_check",
  "simple_health",
];

/** What is wrong with a value of `TOOLS`: an app that is given such a value does not start. */
export function toolsProblems(value: string): string[] {
  const names = value
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
  if (value === "" || names.join() === "all" || names.join() === "none") return [];
  if (names.length === 0) return ["TOOLS must be 'all', 'none' or names of bundled tools with commas"];
  return names
    .filter((name) => !BUNDLED_TOOLS.includes(name))
    .map((name) => {
      const nearest = nearestOf(name, BUNDLED_TOOLS);
      const instead = nearest === undefined ? `there are: ${BUNDLED_TOOLS.join(", ")}` : `did you mean '${nearest}'?`;
      return `TOOLS: there is no bundled tool '${name}'; ${instead}`;
    });
}
