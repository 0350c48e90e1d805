import { z } from "zod";
import { answer, type Tool } from "./tool.ts";

/** Answers without looking at anything: whether calls get through at all. */
export function simpleHealth(): Tool {
  return {
    name: "simple_health",
    title: "Simple health",
    description: "Whether this server answers at all. Use health_check to learn how well.",
    inputSchema: z.object({}, "must be an object; it takes no arguments"),
    outputSchema: z.object({ status: z.literal("ok") }),
    annotations: { readOnlyHint: true, idempotentHint: true, openWorldHint: false },
    handle: () => answer({ status: "ok" }, "ok"),
  };
}
