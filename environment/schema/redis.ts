import { z } from "zod";
import { cidr, count, dnsLabel, portNumber } from "../patterns.ts";

/** Where pods share state. Its URL, with user and password, is a secret: `TF_VAR_redis_url`. */
export const redis = z.strictObject({
  /** Revisions of the URL that exist. New pods use the highest; keep a lower one here until no color names it. */
  urlRevisions: z.array(count).min(1).default([1]),
  /** The port in the URL, and of every other node if it is a cluster: pods may reach no other. @default 6379 */
  port: portNumber.default(6379),
  /** Whether the URL names one node of a cluster, from which the others are learned. @default false */
  cluster: z.boolean().default(false),
  /** The namespace it runs in, if it runs in the same Kubernetes cluster. @default - pods may reach `port` anywhere */
  namespace: dnsLabel.optional(),
  /** The addresses it has, if it runs elsewhere, such as `10.0.0.0/16`. @default - pods may reach `port` anywhere */
  cidr: cidr.optional(),
});
