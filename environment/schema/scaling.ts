import { z } from "zod";
import { count } from "../patterns.ts";

const PURPOSES = {
  minReplicas: "pods of each color when it is quiet; or say 'replicas'",
  maxReplicas: "pods of each color under full load; or say 'replicas'",
};

/**
 * How many pods each color has: `replicas` of them, or between `minReplicas` and `maxReplicas` as at least one of CPU, memory
 * and requests says. The largest wins.
 */
export const scaling = z
  .strictObject({
    /** A fixed number of pods. */
    replicas: count.optional(),
    /** Pods of each color when it is quiet; the idle color stands by at this number. */
    minReplicas: count.optional(),
    maxReplicas: count.optional(),
    /** The CPU that pods use on average, in percent of their requests. Needs metrics-server. */
    cpuPercent: count.optional(),
    /** The memory that pods use on average, in percent of their requests. Needs metrics-server. */
    memoryPercent: count.optional(),
    /** Requests per second that one pod carries with its p95 under the objective; 60 to 70 % of its knee. */
    requestsPerPod: z.number().positive().optional(),
    /** The p95 latency that users are promised; goes with `requestsPerPod`. */
    latencyObjectiveMs: z.number().positive().optional(),
    /** Latency counts as pressure only above this many requests per second and pod. @default 1 */
    latencyFloorRequestsPerSecond: z.number().positive().default(1),
  })
  .superRefine(
    (given, context) => {
      const missing = (["minReplicas", "maxReplicas"] as const).filter(
        (name) => (given[name] ?? given.replicas) === undefined,
      );
      for (const name of missing) {
        context.addIssue({ code: "custom", path: [name], message: `is missing: ${PURPOSES[name]}` });
      }
    },
    // Also beside other problems, so that a user hears of all at once.
    { when: ({ value }) => typeof value === "object" && value !== null },
  )
  .transform(({ minReplicas, maxReplicas, ...given }) => ({
    ...given,
    minReplicas: minReplicas ?? given.replicas ?? 1,
    maxReplicas: maxReplicas ?? given.replicas ?? 1,
  }));
