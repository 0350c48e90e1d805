import { z } from "zod";
import { count } from "../patterns.ts";

/** How many pods each color has. */
export const scaling = z.strictObject({
  /** Pods of each color when it is quiet; the idle color stands by at this number. */
  minReplicas: count.describe("pods of each color when it is quiet"),
  maxReplicas: count.describe("pods of each color under full load"),
  /** Requests per second that one pod carries with its p95 under the objective; 60 to 70 % of its knee. */
  requestsPerPod: z
    .number()
    .positive()
    .describe("requests per second that one pod carries with its p95 under the objective"),
  /** The p95 latency that users are promised. */
  latencyObjectiveMs: z.number().positive().describe("the p95 latency in milliseconds that users are promised"),
  /** Latency counts as pressure only above this many requests per second and pod. @default 1 */
  latencyFloorRequestsPerSecond: z.number().positive().default(1),
});
