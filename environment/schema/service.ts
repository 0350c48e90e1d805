import { z } from "zod";

/** How the live Service is reached from outside the cluster. */
export const service = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("ClusterIP") }),
  z.strictObject({ type: z.literal("NodePort"), nodePort: z.number().int().min(30000).max(32767).optional() }),
]);
