import { z } from "zod";
import { ToolInputError } from "../errors/tool-input-error.ts";
import type { Pool } from "../outbound/pool.ts";
import { answerData, dataOf, sentenceOf } from "./api-answer.ts";
import { MAX_URL, requestArguments, requestOf, timeoutArgument } from "./api-request.ts";
import { argumentsOf } from "./arguments.ts";
import { answer, type Tool } from "./tool.ts";

/** Attempts of a repeatable request. */
const ATTEMPTS = 3;

const inputSchema = argumentsOf({
  pool: z
    .string("must be the name of a pool")
    .max(100, "must be at most 100 characters")
    .describe("Name of a pool of this server"),
  path: z
    .string("must be a path such as '/search?q=x'")
    .max(MAX_URL, `must be at most ${MAX_URL} characters`)
    .describe("Path on the endpoint, with query: '/search?q=x'"),
  strategy: z
    .enum(["round-robin", "random", "weighted", "least-loaded"], {
      error: "must be 'round-robin', 'random', 'weighted' or 'least-loaded'",
    })
    .default("least-loaded")
    .describe(
      "round-robin: each in turn; random: any; weighted: by their weights; least-loaded: the less busy of two for its weight",
    ),
  ...requestArguments,
  timeoutMs: timeoutArgument,
});

/** One HTTP request to a healthy endpoint of a pool, chosen by a strategy. */
export function loadBalancedRequest(pools: ReadonlyMap<string, Pool>): Tool<z.output<typeof inputSchema>> {
  return {
    name: "load_balanced_request",
    title: "Call one of several endpoints",
    description:
      "Sends an HTTP request to one endpoint of a pool of equivalent endpoints. An endpoint that keeps failing gets no requests until it is healthy again; a repeatable request is retried on another one. The answer names the endpoint and the state of each one.",
    inputSchema,
    outputSchema: z.object({
      ...answerData,
      endpoint: z.string().describe("Endpoint that answered"),
      attempts: z.number().int(),
      endpoints: z.array(
        z.object({
          endpoint: z.string(),
          weight: z.number(),
          inFlight: z.number().int(),
          breaker: z.enum(["closed", "open", "half-open"]),
          ejected: z.boolean(),
        }),
      ),
    }),
    annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: true },
    async handle({ pool: name, path, strategy, timeoutMs, ...args }, { call }) {
      const pool = pools.get(name);
      if (pool === undefined) throw new ToolInputError(noSuchPool(name, [...pools.keys()]));
      let attempts = 0;
      const received = await pool.send({ path, ...requestOf(args) }, strategy, call, {
        attempts: ATTEMPTS,
        within: timeoutMs,
        onAttempt: () => (attempts += 1),
      });
      const data = dataOf(received);
      return answer({ ...data, endpoint: received.url.origin, attempts, endpoints: pool.endpoints }, sentenceOf(data));
    },
  };
}

export function noSuchPool(name: string, names: readonly string[]): string {
  return names.length === 0
    ? `there is no pool '${name}': OUTBOUND_POOLS, which names them, is empty on this server`
    : `there is no pool '${name}'; there are ${names.join(", ")}`;
}
