import { list } from "./kinds.ts";

/** Every bundled tool, in the order in which clients see them. */
export const TOOL_NAMES = [
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
] as const;

export type ToolName = (typeof TOOL_NAMES)[number];

const isToolName = (name: string): name is ToolName => TOOL_NAMES.some((known) => known === name);

/** Which of the bundled tools exist. Tools that an entry point adds are not among them. */
export const toolsVariables = {
  TOOLS: list
    .transform((names, context): readonly ToolName[] => {
      if (names.join() === "all") return TOOL_NAMES;
      if (names.join() === "none") return [];
      const unknown = names.filter((name) => !isToolName(name));
      if (unknown.length > 0 || names.length === 0) {
        const named = unknown.length === 0 ? "" : `has the unknown name '${unknown.join("', '")}': it `;
        context.addIssue({
          code: "custom",
          message: `${named}must be 'all', 'none' or some of ${TOOL_NAMES.join(", ")}`,
        });
      }
      return TOOL_NAMES.filter((name) => names.includes(name));
    })
    .prefault("all")
    .describe(
      "Bundled tools that exist, by their names with commas; `all`, or `none` if an entry point of your own brings others.",
    ),
};
