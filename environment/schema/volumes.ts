import { z } from "zod";
import { count, dnsLabel, quantity, subdomain } from "../patterns.ts";
import { folder } from "./references.ts";

const path = folder.describe("the folder of the server's container");

const ONCE_POD =
  "'ReadWriteOncePod' admits one pod, and both colors have pods: use 'ReadWriteMany', or 'ReadWriteOnce' on one node";

/**
 * Who may write. Pods of both colors do, at the same time. With `ReadWriteOnce` all of them run on one node.
 */
const accessMode = z
  .enum(["ReadWriteMany", "ReadWriteOnce"], {
    error: ({ input }) => (input === "ReadWriteOncePod" ? ONCE_POD : undefined),
  })
  .describe("'ReadWriteMany' or 'ReadWriteOnce': pods of both colors write to it");

const volume = z.discriminatedUnion("type", [
  /** A PersistentVolumeClaim of the namespace that others make. */
  z.strictObject({ type: z.literal("existing"), path, claim: subdomain.describe("the name of the claim"), accessMode }),
  /** A PersistentVolumeClaim that a deploy makes, and that no deploy deletes. */
  z.strictObject({
    type: z.literal("claim"),
    path,
    size: quantity.describe("the size of the volume, such as '1Gi'"),
    /** @default - the cluster's default class */
    class: subdomain.optional(),
    accessMode,
    /** Revisions that exist. New pods use the highest; keep a lower one until no color names it. */
    revisions: z.array(count).min(1).default([1]),
  }),
  /** Each pod's own, which goes with it. */
  z.strictObject({
    type: z.literal("emptyDir"),
    path,
    /** A pod that fills more is evicted. @default - the node's disk */
    sizeLimit: quantity.optional(),
    /** Whether it is in memory; it then counts as the pod's. @default false */
    memory: z.boolean().default(false),
  }),
]);

/** Volumes of the server's container, by name. */
export const volumes = z.record(dnsLabel.max(20), volume);
