import { z } from "zod";
import { cidr, dnsLabel, portNumber } from "../patterns.ts";

/** What network policies let in and out, besides names and HTTPS outward. */
export const network = z.strictObject({
  /** Who may call. Nodes may always: probes and port forwards come from them. */
  clients: z
    .strictObject({
      /** @default - any, if there are no `cidrs` either */
      namespaces: z.array(dnsLabel).default([]),
      /** @default - any, if there are no `namespaces` either */
      cidrs: z.array(cidr).default([]),
    })
    .prefault({}),
  /** The namespace whose pods may read metrics. @default "monitoring" */
  monitoringNamespace: dnsLabel.default("monitoring"),
  /** What the pods connect to. Ports in settings that `server.asks` names are open already. */
  egress: z
    .array(
      z.strictObject({
        port: portNumber.describe("the port that pods connect to"),
        protocol: z.enum(["TCP", "UDP"]).default("TCP"),
        /** @default - anywhere, if there is no `cidr` either */
        namespace: dnsLabel.optional(),
        /** @default - anywhere, if there is no `namespace` either */
        cidr: cidr.optional(),
      }),
    )
    .default([]),
});
