import { z } from "zod";
import { quantity, subdomain } from "../patterns.ts";

/** A volume for the bundled app's writes: each pod's own, which goes with it, or a claim that all pods share. */
export const dataVolume = z.discriminatedUnion("type", [
  z.strictObject({
    type: z.literal("emptyDir"),
    /** A pod that fills more than this is evicted, and its volume with it. @default "1Gi" */
    sizeLimit: quantity.default("1Gi"),
  }),
  z.strictObject({
    type: z.literal("claim"),
    /** A PersistentVolumeClaim in the namespace, made elsewhere; ReadWriteMany unless all pods run on one node. */
    claim: subdomain.describe("the PersistentVolumeClaim that pods write to"),
  }),
]);
