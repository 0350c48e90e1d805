import { z } from "zod";
import { count } from "../patterns.ts";
import { smoke } from "./smoke.ts";

/** Bounds of the app's histogram of call durations, in milliseconds: between two of them, nothing is known of a call. */
export const BOUNDS_MS = [
  5, 10, 20, 50, 75, 100, 150, 200, 250, 300, 400, 500, 750, 1000, 2000, 5000, 10_000, 30_000, 60_000, 120_000, 300_000,
];

/** What calls must stay under. */
const limits = z.strictObject({
  /** Failed calls over all calls, above 0 and at most 0.2. */
  maxErrorRatio: z.number().positive().max(0.2).describe("failed calls over all calls, above 0 and at most 0.2"),
  /** The p95 latency: at most 5 % of the calls may take longer. With the bundled app, one of `BOUNDS_MS`. */
  maxP95Ms: z.number().positive().describe("the p95 latency in milliseconds, at most"),
});

/** How a release checks a version, and for how long. */
export const release = z.strictObject({
  /** Where a release runs: processes on this machine, or a cluster. */
  target: z.enum(["local", "kubernetes"]).describe("where a release runs, 'local' or 'kubernetes'"),
  /** How long a staged color may take to be ready. */
  stageTimeoutSeconds: z.number().positive().describe("seconds that a staged color may take to be ready"),
  /**
   * With `server.connections: "kept"` and without an Ingress: how long a release waits for clients to leave an idle color
   * before it ends pods of it. Clients that stay may lose a call each. @default 60
   */
  keptConnectionsSeconds: z.number().nonnegative().max(3600).default(60),
  /** The call that a client makes on the idle color. @default - `tools/list`, which must not be empty */
  smoke: smoke.optional(),
  /** Synthetic calls to the idle color. They end early once they are enough to decide. */
  metrics: limits
    .extend({
      calls: count.describe("synthetic calls to the idle color, at most"),
      concurrency: count.describe("synthetic calls at the same time"),
    })
    .describe("the limits of synthetic calls to the idle color"),
  /** Monitoring after promote, over live and synthetic calls. */
  bake: limits
    .extend({
      /** How long it lasts at least. It lasts up to twice as long if the calls are not enough by then. */
      durationSeconds: z.number().positive().describe("seconds of monitoring under live traffic after the switch"),
      /** Time from one check to the next: a failing version is found at a check. */
      intervalSeconds: z.number().positive().describe("seconds from one check to the next"),
      /** Failed checks of other gates than 'calls' that start a rollback; a passed one takes one back. @default 2 */
      failureLimit: count.default(2),
      /** Probability that a version at its limits is rolled back, over the whole bake. @default 0.01 */
      alpha: z.number().positive().max(0.2).default(0.01),
      /** Multiple of the limits that nobody would tolerate; a bake ends when it is ruled out. @default 3 */
      detect: z.number().min(1.5).max(20).default(3),
      /** Synthetic calls to each color, the live and the old one. More if traffic does not bring enough. @default 2 */
      syntheticCallsPerSecond: z.number().positive().max(20).default(2),
      /** How long gates may be inconclusive, in all, before the release stops and asks a person. */
      holdTimeoutSeconds: z.number().positive().describe("seconds that gates may be inconclusive, in all"),
    })
    .describe("the limits of calls after the switch"),
});
