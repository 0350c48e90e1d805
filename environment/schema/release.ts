import { z } from "zod";
import { count } from "../patterns.ts";

const smoke = z.strictObject({
  /** The tool that a real client session calls on the idle color. */
  tool: z.string().min(1).describe("the tool that a client calls on the idle color"),
  arguments: z.record(z.string(), z.unknown()).default({}),
  /** What its structured answer must look like: a Zod schema. */
  expect: z
    .custom<z.ZodType>((value) => value instanceof z.ZodType, "must be a Zod schema")
    .describe("a Zod schema of the tool's structured answer"),
});

/** What a measurement must stay under, and how much of it there must be before it counts. */
const limits = z.strictObject({
  /** Fewer calls than this are no data, and the check is inconclusive. */
  minCalls: count.describe("calls below which a check is inconclusive"),
  /** Failed calls over all calls, 0 to 1. */
  maxErrorRatio: z.number().min(0).max(1).describe("failed calls over all calls, 0 to 1, at most"),
  maxP95Ms: z.number().positive().describe("the p95 latency in milliseconds, at most"),
});

/** How a release checks a version, and for how long. */
export const release = z.strictObject({
  /** Where a release runs: processes on this machine, or a cluster. */
  target: z.enum(["local", "kubernetes"]).describe("where a release runs, 'local' or 'kubernetes'"),
  /** How long a staged color may take to be complete and ready. */
  stageTimeoutSeconds: z.number().positive().describe("seconds that a staged color may take to be ready"),
  smoke: smoke.describe("the call that a client makes on the idle color"),
  /** Synthetic calls to the idle color: how many, how many at a time, and their limits. */
  metrics: limits
    .extend({
      calls: count.describe("synthetic calls to the idle color"),
      concurrency: count.describe("synthetic calls at the same time"),
    })
    .describe("the limits of synthetic calls to the idle color"),
  /** The time after promote in which a failing gate rolls back, over live traffic. */
  bake: limits
    .extend({
      durationSeconds: z.number().positive().describe("seconds of monitoring under live traffic after the switch"),
      intervalSeconds: z.number().positive().describe("seconds from one check to the next"),
      /** Consecutive failed checks that start a rollback; one can be noise. @default 2 */
      failureLimit: count.default(2),
      /** How long gates may be inconclusive, in all, before the release stops and asks a person. */
      holdTimeoutSeconds: z.number().positive().describe("seconds that gates may be inconclusive, in all"),
    })
    .describe("the limits of live traffic after the switch"),
});
