import { z } from "zod";
import { stringify } from "../json/well-formed.ts";
import { argumentsOf, wholeNumber } from "./arguments.ts";
import { inParallel } from "./in-parallel.ts";
import { MAX_TEXT, OPERATION_NAMES, OPERATIONS, OPERATIONS_SAID } from "./text-operations.ts";
import { answer, type Tool } from "./tool.ts";

const MAX_ITEMS = 100;

const inputSchema = argumentsOf({
  items: z
    .array(
      z.string("must be a text").max(MAX_TEXT, `must be at most ${MAX_TEXT} characters each`),
      "must be a list of texts",
    )
    .min(1, "must have at least one text")
    .max(MAX_ITEMS, `must be at most ${MAX_ITEMS} texts`)
    .describe("Texts to work on"),
  operation: z
    .enum(OPERATION_NAMES, { error: `must be one of ${OPERATION_NAMES.join(", ")}` })
    .describe(OPERATIONS_SAID),
  concurrency: wholeNumber(1, 8).default(4).describe("Texts worked on at the same time"),
});

/** The same operation on many texts, several at a time, without blocking other calls. */
export function asyncParallelProcessing(): Tool<z.output<typeof inputSchema>> {
  return {
    name: "async_parallel_processing",
    title: "Process many texts",
    description:
      "Applies one operation to many texts, several at a time, and returns one result for each, in order. Reports progress; can be cancelled.",
    inputSchema,
    outputSchema: z.object({
      results: z.array(z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]))),
      durationMs: z.number(),
    }),
    annotations: { readOnlyHint: true, idempotentHint: true, openWorldHint: false },
    async handle({ items, operation, concurrency }, context) {
      const startedAt = performance.now();
      let done = 0;
      const work = async (text: string) => {
        const result = await OPERATIONS[operation](text);
        done += 1;
        context.progress(done, items.length);
        return result;
      };
      const results = await inParallel(items, concurrency, work, context.call);
      const durationMs = Math.round(performance.now() - startedAt);
      return answer({ results, durationMs }, `${operation} of ${items.length} texts: ${stringify(results)}`);
    },
  };
}
