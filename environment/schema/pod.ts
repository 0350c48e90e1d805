import { z } from "zod";
import { labelValue, qualifiedName, subdomain } from "../patterns.ts";
import { affinity, spread, toleration } from "./scheduling.ts";
import { sidecar } from "./sidecar.ts";

const userId = z
  .number()
  .int()
  .min(0)
  .max(2 ** 31 - 1)
  .refine((id) => id > 0, "0 is root, which no pod of this kit is: use another user");

/** Which users the containers run as, and what they may write to. */
const security = z.strictObject({
  /** @default - the image's, which must not be root */
  user: userId.optional(),
  /** @default - the image's */
  group: userId.optional(),
  /** The group that owns volumes. @default - 65532 if there is a volume for data */
  fsGroup: userId.optional(),
  /** Whether the container's file system is read-only; `server.writableTmp` gives it a `/tmp`. @default true */
  readOnlyRoot: z.boolean().default(true),
});

/** The identity of pods toward the cluster and the cloud. */
const serviceAccount = z.strictObject({
  /** A service account that exists in the namespace. @default - one is made */
  existing: subdomain.optional(),
  /** Annotations of the one that is made, such as a role of AWS (IRSA) or of Google (workload identity). */
  annotations: z.record(qualifiedName, z.string()).default({}),
  /** Whether pods get a token for the Kubernetes API. @default false */
  mountToken: z.boolean().default(false),
});

/** A number of pods, or a share of all. */
const share = z.string().regex(/^\d+%?$/, "must be a number of pods or a share, such as '1' or '25%'");

/** How pods of a color are replaced by others. */
const strategy = z.discriminatedUnion("type", [
  z.strictObject({
    type: z.literal("RollingUpdate"),
    maxSurge: share.default("25%"),
    /** @default "0": never below what the autoscaler asks for */
    maxUnavailable: share.default("0"),
  }),
  /** All pods of the color end before the first new one starts. */
  z.strictObject({ type: z.literal("Recreate") }),
]);

const NOT_FOR_USERS = ["app.kubernetes.io/name", "mcp-bluegreen/"];
const ownKey = qualifiedName.refine((key) => !NOT_FOR_USERS.some((reserved) => key.startsWith(reserved)), {
  error: ({ input }) => `'${String(input)}' is set by the kit: use another key`,
});

/** Where and how pods run. All of it is versioned with their color. */
export const pod = z.strictObject({
  labels: z.record(ownKey, labelValue).default({}),
  annotations: z.record(ownKey, z.string()).default({}),
  /** Labels that a node must have. */
  nodeSelector: z.record(qualifiedName, labelValue).default({}),
  tolerations: z.array(toleration).default([]),
  affinity: affinity.prefault({}),
  /** @default - over zones, and over nodes, where that is possible */
  spread: z
    .array(spread)
    .prefault([{ topologyKey: "topology.kubernetes.io/zone" }, { topologyKey: "kubernetes.io/hostname" }]),
  priorityClass: subdomain.optional(),
  runtimeClass: subdomain.optional(),
  serviceAccount: serviceAccount.prefault({}),
  /** Secrets of the namespace for the registries of images. */
  pullSecrets: z.array(subdomain).default([]),
  /** @default "IfNotPresent" */
  pullPolicy: z.enum(["Always", "IfNotPresent", "Never"]).default("IfNotPresent"),
  security: security.prefault({}),
  strategy: strategy.prefault({ type: "RollingUpdate" }),
  /** Containers that run to their end, one after the other, before the server starts. */
  initContainers: z.array(sidecar).default([]),
  /** Containers that run beside the server. */
  sidecars: z.array(sidecar).default([]),
});

export type Pod = z.output<typeof pod>;
