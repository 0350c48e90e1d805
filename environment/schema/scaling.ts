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
  .transform((given, context) => {
    const { replicas } = given;
    const bounds = { minReplicas: given.minReplicas ?? replicas, maxReplicas: given.maxReplicas ?? replicas };
    for (const name of ["minReplicas", "maxReplicas"] as const) {
      if (bounds[name] !== undefined) continue;
      context.issues.push({ code: "custom", path: [name], input: given, message: `is missing: ${PURPOSES[name]}` });
    }
    return { ...given, minReplicas: bounds.minReplicas ?? 1, maxReplicas: bounds.maxReplicas ?? 1 };
  });
