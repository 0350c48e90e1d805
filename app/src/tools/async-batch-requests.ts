import { z } from "zod";
import type { HttpClient } from "../outbound/http-client.ts";
import type { Call } from "../resilience/call.ts";
import { answerData, dataOf } from "./api-answer.ts";
import { requestArguments, requestOf, urlArgument, type RequestArguments } from "./api-request.ts";
import { argumentsOf, wholeNumber } from "./arguments.ts";
import { foreseen } from "./call-tool.ts";
import { inParallel } from "./in-parallel.ts";
import { answer, type Tool } from "./tool.ts";

const MAX_REQUESTS = 20;

/** Bytes of each answer's body in the result. */
const MAX_SHOWN_BYTES = 16 * 1024;

/** Attempts of a repeatable request. */
const ATTEMPTS = 3;

const inputSchema = argumentsOf({
  requests: z
    .array(argumentsOf({ url: urlArgument, ...requestArguments }), "must be a list of requests, each with a 'url'")
    .min(1, "must have at least one request")
    .max(MAX_REQUESTS, `must be at most ${MAX_REQUESTS} requests`),
  concurrency: wholeNumber(1, 10).default(5).describe("Requests under way at the same time"),
  timeoutMs: wholeNumber(100, 55_000)
    .default(30_000)
    .describe("Milliseconds for all of them; what is not answered by then is reported as such"),
});

const item = z.object({
  ok: z.boolean().describe("Whether there was an answer; its status says what kind"),
  ...z.object(answerData).partial().shape,
  error: z.string().optional().describe("Why there was none, and what to do"),
  kind: z.string().optional(),
  retryAfterMs: z.number().optional(),
});

/** Many HTTP requests, several at a time. Each one succeeds or fails alone. */
export function asyncBatchRequests(outbound: HttpClient): Tool<z.output<typeof inputSchema>> {
  return {
    name: "async_batch_requests",
    title: "Call APIs in a batch",
    description:
      "Sends several HTTP requests, some at a time, each with the protection of resilient_api_call. Returns one result for each, in order; a failed request does not affect the others. Reports progress; can be cancelled.",
    inputSchema,
    outputSchema: z.object({
      results: z.array(item),
      succeeded: z.number().int(),
      failed: z.number().int(),
      durationMs: z.number(),
    }),
    annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: true },
    timeout: 60_000,
    async handle({ requests, concurrency, timeoutMs }, context) {
      const startedAt = performance.now();
      let done = 0;
      const work = async (request: Request) => {
        const left = timeoutMs - (performance.now() - startedAt);
        const result = await send(outbound, request, left, context.call);
        done += 1;
        context.progress(done, requests.length, `${request.url.slice(0, 100)}: ${result.status ?? result.error ?? ""}`);
        return result;
      };
      const results = await inParallel(requests, concurrency, work, context.call);
      const succeeded = results.filter(({ ok }) => ok).length;
      const failed = results.length - succeeded;
      return answer(
        { results, succeeded, failed, durationMs: Math.round(performance.now() - startedAt) },
        [
          `${succeeded} of ${results.length} were answered.`,
          ...results.map((result, index) => `${index + 1}. ${requests[index]?.url ?? ""}: ${describe(result)}`),
        ].join("\n"),
      );
    },
  };
}

type Request = RequestArguments & { readonly url: string };
type Item = z.output<typeof item>;

async function send(outbound: HttpClient, request: Request, within: number, call: Call): Promise<Item> {
  if (within <= 0) return { ok: false, error: "not sent: the time for the whole batch was over", kind: "timeout" };
  try {
    const checked = outbound.check({ url: request.url, ...requestOf(request) });
    const received = await outbound.send(checked, call, { attempts: ATTEMPTS, within });
    return { ok: true, ...dataOf(received, MAX_SHOWN_BYTES) };
  } catch (error) {
    const failure = foreseen(error);
    if (failure === undefined) throw error;
    return { ok: false, error: failure.text, ...failure.detail };
  }
}

const describe = ({ status, error, headers }: Item): string =>
  error ?? `${status ?? ""} ${headers?.["content-type"] ?? ""}`;
