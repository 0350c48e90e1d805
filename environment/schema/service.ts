import { z } from "zod";

const shared = {
  /** `clientIp` sends all connections of a client's address to one pod, as sessions in memory need. @default "none" */
  sessionAffinity: z.enum(["none", "clientIp"]).default("none"),
};

/** How the live Service is reached. */
export const service = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("ClusterIP"), ...shared }),
  z.strictObject({
    type: z.literal("NodePort"),
    /** @default - one that is free */
    nodePort: z.number().int().min(30000).max(32767).optional(),
    ...shared,
  }),
]);
