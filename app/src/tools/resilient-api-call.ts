import { z } from "zod";
import type { HttpClient } from "../outbound/http-client.ts";
import { answerData, dataOf, sentenceOf } from "./api-answer.ts";
import { requestArguments, requestOf, timeoutArgument, urlArgument } from "./api-request.ts";
import { argumentsOf } from "./arguments.ts";
import { answer, type Tool } from "./tool.ts";

/** Attempts of a repeatable request. */
const ATTEMPTS = 3;

const inputSchema = argumentsOf({
  url: urlArgument,
  ...requestArguments,
  timeoutMs: timeoutArgument,
});

/** One HTTP request with all policies. */
export function resilientApiCall(outbound: HttpClient): Tool<z.output<typeof inputSchema>> {
  return {
    name: "resilient_api_call",
    title: "Call an API",
    description:
      "Sends one HTTP request to a host that this server is allowed to call, protected by a circuit breaker, a limit on concurrent calls, a timeout and, where the request may be repeated, a few retries. While the API is down it fails at once and says when to try again.",
    inputSchema,
    outputSchema: z.object({
      ...answerData,
      attempts: z.number().int().describe("How often it was sent"),
      breaker: z.enum(["closed", "open", "half-open"]).describe("State of the upstream's circuit breaker after it"),
      durationMs: z.number(),
    }),
    annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: true },
    async handle(args, { call }) {
      const startedAt = performance.now();
      let attempts = 0;
      const request = outbound.check({ url: args.url, ...requestOf(args) });
      const received = await outbound.send(request, call, {
        attempts: ATTEMPTS,
        within: args.timeoutMs,
        onAttempt: () => (attempts += 1),
      });
      const data = dataOf(received);
      const breaker = outbound.upstreams.get(received.url.origin)?.breaker.state ?? "closed";
      return answer(
        { ...data, attempts, breaker, durationMs: Math.round(performance.now() - startedAt) },
        sentenceOf(data),
      );
    },
  };
}
