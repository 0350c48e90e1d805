import { z } from "zod";
import type { RateLimiter } from "../resilience/rate-limiter.ts";
import { thrown } from "../resilience/rejection.ts";
import { argumentsOf } from "./arguments.ts";
import { MAX_TEXT, OPERATION_NAMES, OPERATIONS, OPERATIONS_SAID } from "./text-operations.ts";
import { answer, type Tool } from "./tool.ts";

const inputSchema = argumentsOf({
  operation: z
    .enum(OPERATION_NAMES, { error: `must be one of ${OPERATION_NAMES.join(", ")}` })
    .describe(OPERATIONS_SAID),
  text: z.string("must be a text").max(MAX_TEXT, `must be at most ${MAX_TEXT} characters`).describe("What to work on"),
});

/** An operation on a text with a rate limit for each client. */
export function rateLimitedOperation(limiter: RateLimiter): Tool<z.output<typeof inputSchema>> {
  const burst = Math.round(limiter.capacity / limiter.interval);
  const perSecond = 1000 / limiter.interval;
  return {
    name: "rate_limited_operation",
    title: "Text operation, rate limited",
    description:
      "Works on one text, with a rate limit for each client. The answer says how many calls may be made at once; a rejected call says after how many milliseconds to retry.",
    inputSchema,
    outputSchema: z.object({
      result: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
      remaining: z.number().int().describe("Calls that may be made at once"),
      limit: z.object({ perSecond: z.number(), burst: z.number() }),
    }),
    annotations: { readOnlyHint: true, idempotentHint: true, openWorldHint: false },
    timeout: 5000,
    async handle({ operation, text }, { call }) {
      const admission = limiter.tryAcquire(call.client);
      if (!admission.admitted) throw thrown(admission, call.trace);
      const result = await OPERATIONS[operation](text);
      const remaining = Math.max(0, Math.floor((limiter.capacity - limiter.untilFull(call.client)) / limiter.interval));
      return answer(
        { result, remaining, limit: { perSecond, burst } },
        `${JSON.stringify(result)}; ${remaining} more may be made at once, and ${perSecond} a second after that.`,
      );
    },
  };
}
