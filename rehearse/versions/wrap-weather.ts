import type { CallToolResult } from "@modelcontextprotocol/server";
import type { Tool } from "../../app/src/tools/tool.ts";

/** Puts a fault around the weather tool and leaves the others as they are. */
export function wrapWeather(
  fault: (answer: () => Promise<CallToolResult>) => Promise<CallToolResult>,
): (tools: readonly Tool[]) => readonly Tool[] {
  return (tools) =>
    tools.map((tool) =>
      tool.name === "get_weather_with_fallback"
        ? { ...tool, handle: (args, call) => fault(async () => await tool.handle(args, call)) }
        : tool,
    );
}
