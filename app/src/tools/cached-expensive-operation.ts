import { setImmediate as nextTurn } from "node:timers/promises";
import { z } from "zod";
import { cached } from "../cache/cached.ts";
import type { Found } from "../cache/cache-options.ts";
import { keyOf } from "../cache/key.ts";
import { ToolInputError } from "../errors/tool-input-error.ts";
import { asError, type Call } from "../resilience/call.ts";
import type { Services } from "../services.ts";
import { argumentsOf, wholeNumber } from "./arguments.ts";
import { answer, type Tool, type ToolContext } from "./tool.ts";

/** Largest arguments: about 200 ms of computation, and a number of 20,899 digits. */
const MAX = { fibonacci: 100_000, prime_check: 100_000_000_000_000 } as const;

/** Milliseconds of computation before other calls get their turn. */
const SLICE = 2;

/** Digits in the text; the data contain all. */
const SHOWN_DIGITS = 60;

const inputSchema = argumentsOf({
  operation: z
    .enum(["fibonacci", "prime_check"], { error: "must be 'fibonacci' or 'prime_check'" })
    .describe(
      "fibonacci: the n-th number of the sequence; prime_check: whether n is a prime, and its least factor if not",
    ),
  n: wholeNumber(0, MAX.prime_check).describe(
    `A whole number: for fibonacci at most ${MAX.fibonacci}, for prime_check at most ${MAX.prime_check}`,
  ),
});

const result = z.object({
  value: z.string().exactOptional().describe("fibonacci: the number, all its digits"),
  prime: z.boolean().exactOptional().describe("prime_check: whether it is one"),
  leastFactor: z.number().exactOptional().describe("prime_check: the least factor above 1 of what is no prime"),
  computedInMs: z.number().describe("Milliseconds of computation, in any pod"),
});

type Operation = keyof typeof MAX;
type Result = z.output<typeof result>;
type Computation = Generator<number, Omit<Result, "computedInMs">>;

/** An expensive computation that is cached, also for other pods. */
export function cachedExpensiveOperation({
  caches,
  computations,
  warmUp,
}: Pick<Services, "caches" | "computations" | "warmUp">): Tool<z.output<typeof inputSchema>> {
  const { ttl } = caches;
  // Results never change, so a stale one is correct.
  const cache = caches.create<Result>(
    { name: "computations", ttl, staleWhileRevalidate: ttl },
    { version: 1, schema: result },
  );
  const computed = cached(
    (call, operation: Operation, n: number, progress: ToolContext["progress"]) =>
      computations.execute((inner) => compute(OPERATIONS[operation](n), inner, progress), call),
    { cache, key: (operation, n) => keyOf([operation, n]) },
  );
  for (const operation of ["fibonacci", "prime_check"] as const)
    warmUp.add(operation, (n) => computed.warm(operation, within(operation, Number(n)), () => undefined));
  return {
    name: "cached_expensive_operation",
    title: "Cached computation",
    description:
      "Computes a Fibonacci number or checks whether a number is a prime. Remembers results: `source` says whether this one was computed now, remembered by this server (memory) or another one (shared), or remembered for longer than usual (stale). Reports progress; can be cancelled.",
    inputSchema,
    outputSchema: z.object({
      operation: z.string(),
      n: z.number(),
      ...result.shape,
      source: z.enum(["computed", "memory", "shared", "stale"]),
    }),
    annotations: { readOnlyHint: true, idempotentHint: true, openWorldHint: false },
    timeout: 30_000,
    async handle({ operation, n }, context) {
      const found = await computed(context.call, operation, within(operation, n), context.progress.bind(context));
      return answer({ operation, n, ...found.value, source: found.source }, describe(operation, n, found));
    },
  };
}

function within(operation: Operation, n: number): number {
  if (n > MAX[operation]) throw new ToolInputError(`n must be at most ${MAX[operation]} for ${operation}, not ${n}`);
  return n;
}

const OPERATIONS = { fibonacci, prime_check: primeCheck } as const;

/** Yields the finished share after a number of steps. */
function* fibonacci(n: number): Computation {
  const STEPS = 100;
  let [current, next] = [0n, 1n];
  for (let index = 0; index < n; index += 1) {
    [current, next] = [next, current + next];
    if (index % STEPS === 0) yield index / n;
  }
  return { value: String(current) };
}

/** By trial division: every prime above 3 is 6k ± 1. */
function* primeCheck(n: number): Computation {
  const STEPS = 30_000;
  if (n < 2) return { prime: false };
  for (const factor of [2, 3]) if (n % factor === 0) return isFactor(factor, n);
  const root = Math.sqrt(n);
  for (let factor = 5; factor <= root; factor += 6) {
    if (n % factor === 0) return isFactor(factor, n);
    if (n % (factor + 2) === 0) return isFactor(factor + 2, n);
    if (factor % STEPS === 5) yield factor / root;
  }
  return { prime: true };
}

function isFactor(factor: number, n: number): Omit<Result, "computedInMs"> {
  return factor === n ? { prime: true } : { prime: false, leastFactor: factor };
}

/** Computes in slices, so that other calls do not wait long. @throws the call's reason */
async function compute(computation: Computation, call: Call, progress: ToolContext["progress"]): Promise<Result> {
  let computedInMs = 0;
  for (;;) {
    await nextTurn();
    if (call.cancelled) throw asError(call.reason);
    const start = performance.now();
    let step = computation.next();
    while (step.done !== true && performance.now() - start < SLICE) step = computation.next();
    computedInMs += performance.now() - start;
    if (step.done === true) return { ...step.value, computedInMs: Math.round(computedInMs) };
    progress(step.value, 1);
  }
}

function describe(operation: Operation, n: number, { value: found, source }: Found<Result>): string {
  const { value = "", prime, leastFactor } = found;
  const where = source === "computed" ? "" : " (remembered)";
  if (operation === "fibonacci") {
    const digits =
      value.length <= SHOWN_DIGITS ? value : `${value.slice(0, SHOWN_DIGITS)}… (${value.length} digits in all)`;
    return `Fibonacci number ${n} is ${digits}${where}`;
  }
  if (prime === true) return `${n} is a prime${where}`;
  return `${n} is no prime${leastFactor === undefined ? "" : `: ${leastFactor} divides it`}${where}`;
}
