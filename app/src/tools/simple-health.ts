import { z } from "zod";
import { answer, type Tool } from "./tool.ts";

/** Shows that calls are answered; checks nothing. */
export function simpleHealth(): Tool {
  return {
    name: "simple_health",
    title: "Simple health",
    description: "Whether this server answers. Use health_check for details.",
    inputSchema: z.object({}, "must be an object; it takes no arguments"),
    outputSchema: z.object({ status: z.literal("ok") }),
    annotations: { readOnlyHint: true, idempotentHint: true, openWorldHint: false },
    handle: () => answer({ status: "ok" }, "ok"),
  };
}
