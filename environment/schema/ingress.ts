import { z } from "zod";
import { qualifiedName, subdomain } from "../patterns.ts";

/** A way in by host name, which chooses a pod for each request. */
export const ingress = z.strictObject({
  /** The class of the controller. @default - the cluster's default class */
  class: subdomain.optional(),
  /** The host name of clients. It is also one that the server accepts. */
  host: subdomain.describe("the host name that clients use"),
  /** What a path begins with. @default "/" */
  path: z
    .string()
    .regex(/^\/\S*$/, "must be a path such as '/'")
    .default("/"),
  /** A Secret of the namespace with the certificate. @default - no TLS */
  tlsSecret: subdomain.optional(),
  /** For the controller. */
  annotations: z.record(qualifiedName, z.string()).default({}),
  /**
   * Whether a changed Ingress is created before the old one is deleted, so that no call is lost. The webhook of ingress-nginx
   * refuses two with the same host and path.
   *
   * @default - true, unless the class has `nginx` in its name
   */
  overlap: z.boolean().optional(),
});
