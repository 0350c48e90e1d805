import { z } from "zod";
import { answer, type Tool } from "../../app/src/tools/tool.ts";

const inputSchema = z.object({
  city: z.string().min(1).max(100).describe("Name of a city, such as 'Berlin'"),
  days: z.number().int().min(1).max(16).default(3).describe("How many days to look ahead"),
  units: z.enum(["metric", "imperial"]).default("metric"),
  fields: z
    .array(z.enum(["temperature", "wind", "rain", "pressure"]))
    .max(4)
    .optional(),
});

const outputSchema = z.object({
  city: z.string(),
  days: z.array(z.object({ day: z.number(), temperature: z.number(), wind: z.number().optional() })),
});

/** Thirty tools with schemas as tools have them, that do next to nothing: what is measured is everything around them. */
export const TOOLS: readonly Tool<z.output<typeof inputSchema>>[] = Array.from({ length: 30 }, (_, index) => ({
  name: `forecast_${index}`,
  title: `Forecast ${index}`,
  description: "The forecast of a city, made up on the spot.",
  inputSchema,
  outputSchema,
  annotations: { readOnlyHint: true, idempotentHint: true },
  handle: ({ city, days }) =>
    answer(
      { city, days: Array.from({ length: days }, (_, day) => ({ day, temperature: 15 })) },
      `It will be 15 °C in ${city} for ${days} days.`,
    ),
}));
