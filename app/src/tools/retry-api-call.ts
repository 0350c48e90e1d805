import { z } from "zod";
import { ToolInputError } from "../errors/tool-input-error.ts";
import type { Attempt } from "../outbound/attempts.ts";
import type { HttpClient } from "../outbound/http-client.ts";
import { isRepeatable } from "../outbound/request.ts";
import { UpstreamFailure } from "../outbound/upstream-failure.ts";
import { answerData, dataOf, sentenceOf } from "./api-answer.ts";
import { requestArguments, requestOf, urlArgument } from "./api-request.ts";
import { argumentsOf, wholeNumber } from "./arguments.ts";
import { answer, type Tool } from "./tool.ts";

const inputSchema = argumentsOf({
  url: urlArgument,
  ...requestArguments,
  maxAttempts: wholeNumber(1, 6).default(3).describe("Times that it is sent at most, the first one included"),
  baseDelayMs: wholeNumber(10, 5000)
    .default(100)
    .describe("Least milliseconds between two attempts; pauses are random and grow"),
});

/** One HTTP request, repeated after transient failures. */
export function retryApiCall(outbound: HttpClient): Tool<z.output<typeof inputSchema>> {
  return {
    name: "retry_api_call",
    title: "Call an API, with retries",
    description:
      "Sends an HTTP request again while it fails with 429, 5xx or no answer: with growing random pauses, as the API's Retry-After asks, and within a budget that keeps retries from overrunning it. POST and PATCH need the header 'idempotency-key', so that a repeated request does nothing twice. Reports each attempt.",
    inputSchema,
    outputSchema: z.object({
      ...answerData,
      attempts: z.array(
        z.object({
          status: z.number().int().optional(),
          error: z.string().optional(),
          waitedMs: z.number().describe("Milliseconds waited before it"),
          durationMs: z.number(),
        }),
      ),
    }),
    annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: true },
    timeout: 60_000,
    async handle({ maxAttempts, baseDelayMs, ...args }, context) {
      const request = outbound.check({ url: args.url, ...requestOf(args) });
      if (maxAttempts > 1 && !isRepeatable(request))
        throw new ToolInputError(
          `a ${request.method} request may do something each time it is sent: add the header 'idempotency-key' if the API knows it, or set maxAttempts to 1`,
        );
      const attempts: Attempt[] = [];
      try {
        const received = await outbound.send(request, context.call, {
          attempts: maxAttempts,
          baseDelay: baseDelayMs,
          onAttempt: (attempt) => {
            attempts.push(attempt);
            context.progress(attempts.length, Math.max(attempts.length, maxAttempts), describe(attempt));
          },
        });
        const data = dataOf(received);
        return answer({ ...data, attempts }, sentenceOf(data));
      } catch (error) {
        if (error instanceof UpstreamFailure && attempts.length > 1) throw withHistory(error, attempts);
        throw error;
      }
    },
  };
}

const describe = ({ status, error, waitedMs, durationMs }: Attempt): string =>
  `${status ?? error ?? "no answer"} in ${durationMs} ms, after a pause of ${waitedMs} ms`;

function withHistory(error: UpstreamFailure, attempts: readonly Attempt[]): UpstreamFailure {
  const { message, status, retryAfterMs, isTransient } = error;
  const history = attempts.map((attempt, index) => `(${index + 1}) ${describe(attempt)}`).join("; ");
  return new UpstreamFailure(`${message}. Gave up after ${attempts.length} attempts: ${history}`, {
    ...(status === undefined ? {} : { status }),
    retryAfterMs,
    isTransient,
    cause: error,
  });
}
