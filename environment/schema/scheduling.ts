import { z } from "zod";
import { count, dnsLabel, labelValue, qualifiedName } from "../patterns.ts";

const labels = z.record(qualifiedName, labelValue);

/** A required term keeps a pod pending where it does not hold; one with a weight is a preference. @default - required */
const weight = z.number().int().min(1).max(100).optional();

const podTerm = z.strictObject({
  /** The pods that are meant. @default - those of the same color */
  labels: labels.optional(),
  /** @default - the own namespace */
  namespaces: z.array(dnsLabel).default([]),
  /** @default "kubernetes.io/hostname" */
  topologyKey: qualifiedName.default("kubernetes.io/hostname"),
  weight,
});

/** Nodes that pods may and should run on. */
export const affinity = z.strictObject({
  /** Nodes by their labels. All requirements of a term hold together; of several required terms, one is enough. */
  nodes: z
    .array(
      z.strictObject({
        match: z
          .array(
            z.strictObject({
              key: qualifiedName.describe("a label of nodes"),
              operator: z.enum(["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"]).default("In"),
              values: z.array(labelValue).default([]),
            }),
          )
          .min(1),
        weight,
      }),
    )
    .default([]),
  /** Pods to be near to. */
  near: z.array(podTerm).default([]),
  /** Pods to be apart from. */
  apart: z.array(podTerm).default([]),
});

export const toleration = z.strictObject({
  /** @default - every taint */
  key: qualifiedName.optional(),
  /** @default - `Equal` with a value, otherwise `Exists` */
  value: labelValue.optional(),
  /** @default - every effect */
  effect: z.enum(["NoSchedule", "PreferNoSchedule", "NoExecute"]).optional(),
  /** How long a pod stays on a node with the taint. @default - for good */
  seconds: z.number().int().min(0).optional(),
});

export const spread = z.strictObject({
  topologyKey: qualifiedName.describe("the label of nodes over whose values pods are spread"),
  maxSkew: count.default(1),
  whenUnsatisfiable: z.enum(["ScheduleAnyway", "DoNotSchedule"]).default("ScheduleAnyway"),
});
