import { z } from "zod";
import { ToolInputError } from "../errors/tool-input-error.ts";
import type { Services } from "../services.ts";
import { argumentsOf, wholeNumber } from "./arguments.ts";
import { noSuchPool } from "./load-balanced-request.ts";
import { answer, type Tool } from "./tool.ts";

const inputSchema = argumentsOf({
  pool: z.string("must be the name of a pool").max(100, "must be at most 100 characters"),
  endpoint: z
    .string("must be an endpoint's origin, such as 'https://a.example'")
    .max(300, "must be at most 300 characters"),
  weight: wholeNumber(0, 10_000).describe("Its share, compared with the others'; 0 for none"),
});

/** Changes the weight of an endpoint, for operators. */
export function updateWeight({
  pools,
  weights,
}: Pick<Services, "pools" | "weights">): Tool<z.output<typeof inputSchema>> {
  return {
    name: "update_weight",
    title: "Change an endpoint's weight",
    description:
      "Changes the weight of one endpoint of a pool on every pod of this version, until it is changed again: 0 takes it out, as before a maintenance. `shared` says whether other pods have it; without Redis the weight applies to this pod only.",
    inputSchema,
    outputSchema: z.object({
      pool: z.string(),
      shared: z.boolean(),
      endpoints: z.array(z.object({ endpoint: z.string(), weight: z.number() })),
    }),
    annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: false },
    scopes: ["pools:write"],
    timeout: 5000,
    async handle(weight) {
      const pool = pools.get(weight.pool);
      if (pool === undefined) throw new ToolInputError(noSuchPool(weight.pool, [...pools.keys()]));
      const known = pool.endpoints.map(({ endpoint }) => endpoint);
      if (!known.includes(weight.endpoint))
        throw new ToolInputError(
          `there is no endpoint '${weight.endpoint}' in '${pool.name}'; there are ${known.join(", ")}`,
        );
      const shared = await weights.set(weight);
      const endpoints = pool.endpoints.map(({ endpoint, weight: now }) => ({ endpoint, weight: now }));
      const said = endpoints.map(({ endpoint, weight: now }) => `${endpoint} has ${now}`).join(", ");
      return answer(
        { pool: pool.name, shared, endpoints },
        `In '${pool.name}', ${said}${shared ? "" : ", on this pod alone"}.`,
      );
    },
  };
}
