import { answer, argumentsOf, type Tool } from "mcp-bluegreen/app";
import { z } from "zod";

const inputSchema = argumentsOf({ text: z.string("must be text").max(100_000) });

/** Counts the words of a text. */
export const wordCount: Tool<z.output<typeof inputSchema>> = {
  name: "word_count",
  title: "Number of words",
  description: "Counts the words of a text, in any language with spaces between words.",
  inputSchema,
  outputSchema: z.object({ words: z.number() }),
  annotations: { readOnlyHint: true, idempotentHint: true, openWorldHint: false },
  handle({ text }) {
    const words = text.split(/\s+/).filter((word) => word !== "").length;
    return answer({ words }, `The text has ${words} ${words === 1 ? "word" : "words"}.`);
  },
};
