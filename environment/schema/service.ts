import { z } from "zod";
import { cidr, portNumber, qualifiedName } from "../patterns.ts";
import { portReference } from "./probes.ts";

const annotations = z.record(qualifiedName, z.string()).default({});

const shared = {
  /** For the controllers of load balancers and others. */
  annotations,
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
  /** A deploy does not wait for the load balancer, which may need minutes. */
  z.strictObject({
    type: z.literal("LoadBalancer"),
    /** @default - the cluster's own */
    class: qualifiedName.optional(),
    /** The addresses that may connect. @default - all */
    sourceRanges: z.array(cidr).default([]),
    ...shared,
  }),
]);

/** A Service of its own for another port of the pods of both colors, such as that of metrics. */
export const extraService = z.strictObject({
  port: portNumber.describe("the port of the Service"),
  /** @default - the same number */
  targetPort: portReference.optional(),
  annotations,
});
