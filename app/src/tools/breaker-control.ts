import { z } from "zod";
import { ToolInputError } from "../errors/tool-input-error.ts";
import { BREAKER_STATES } from "../resilience/breaker-options.ts";
import type { BreakerHistory } from "../resilience/breaker-history.ts";
import type { Breaker } from "../resilience/breaker.ts";
import type { BreakerRegistry } from "../resilience/breaker-registry.ts";
import { argumentsOf } from "./arguments.ts";
import { answer, type Tool } from "./tool.ts";

/** Transitions in one answer. */
const MAX_HISTORY = 50;

const state = z.enum(BREAKER_STATES);

const inputSchema = argumentsOf({
  action: z
    .enum(["list", "reset", "force_open"], { error: "must be 'list', 'reset' or 'force_open'" })
    .describe(
      "list: show breakers; reset: close one and forget its failures; force_open: open one until it is reset, so that nothing is sent",
    ),
  breaker: z
    .string("must be the name of a breaker")
    .max(300, "must be at most 300 characters")
    .optional()
    .describe("Name of a breaker; without it, list shows all"),
});

/** Lists circuit breakers, and opens or closes them for an operator. */
export function breakerControl(breakers: BreakerRegistry, history: BreakerHistory): Tool<z.output<typeof inputSchema>> {
  return {
    name: "breaker_control",
    title: "Circuit breakers",
    description:
      "Shows this server's circuit breakers with their counts and latest changes, closes one after a repair, or holds one open to stop all calls to a dependency.",
    inputSchema,
    outputSchema: z.object({
      breakers: z.array(
        z.object({
          name: z.string(),
          state,
          forced: z.boolean(),
          successes: z.number(),
          failures: z.number(),
          timeouts: z.number(),
          rejections: z.number(),
          consecutiveFailures: z.number(),
          retryAfterMs: z.number(),
        }),
      ),
      history: z
        .array(
          z.object({
            at: z.string(),
            breaker: z.string(),
            from: state,
            to: state,
            reason: z.string(),
            pod: z.string().optional().describe("The pod that brought it about"),
            epoch: z.number().optional().describe("For what pods decided together: later is higher"),
          }),
        )
        .describe("Latest changes of state, oldest first"),
    }),
    annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: false },
    scopes: ["breakers:write"],
    timeout: 5000,
    handle({ action, breaker: name }) {
      const chosen = name === undefined ? [...breakers] : [find(breakers, name)];
      if (action !== "list") {
        const [breaker] = chosen;
        if (name === undefined || breaker === undefined)
          throw new ToolInputError(`'${action}' needs the name of a breaker: ${names(breakers)}`);
        if (action === "reset") breaker.reset();
        else breaker.forceOpen();
      }
      const entries = history.entries
        .filter((entry) => name === undefined || entry.breaker === name)
        .slice(-MAX_HISTORY);
      return answer({ breakers: chosen.map(({ stats }) => stats), history: entries }, describe(chosen));
    },
  };
}

function find(breakers: BreakerRegistry, name: string): Breaker {
  const breaker = breakers.get(name);
  if (breaker === undefined) throw new ToolInputError(`there is no breaker '${name}'; there are ${names(breakers)}`);
  return breaker;
}

const names = (breakers: BreakerRegistry): string => Array.from(breakers, ({ name }) => name).join(", ");

const describe = (breakers: readonly Breaker[]): string =>
  breakers.map(({ name, stats }) => `${name} is ${stats.state}${stats.forced ? " by an operator" : ""}`).join("; ");
