import { z } from "zod";
import { quantity } from "../patterns.ts";

/** CPU and memory of one container. */
export const resources = z.strictObject({
  /** What the scheduler reserves on a node. The autoscaler's percentages of CPU and memory are shares of these. */
  requests: z
    .strictObject({
      /** @default "250m" */
      cpu: quantity.default("250m"),
      /** @default "256Mi" */
      memory: quantity.default("256Mi"),
    })
    .prefault({}),
  /** What the container may use at most. */
  limits: z
    .strictObject({
      /** @default - no limit: a throttled CPU is latency */
      cpu: quantity.optional(),
      /** A container that uses more is killed. @default - as much as it requests */
      memory: quantity.optional(),
    })
    .default({}),
});
