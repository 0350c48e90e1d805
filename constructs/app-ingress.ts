import { createHash } from "node:crypto";
import { IngressV1 } from "@cdktf/provider-kubernetes/lib/ingress-v1/index.js";
import { Construct } from "constructs";
import type { Names } from "../environment/names.ts";
import { objectMetadata } from "./object-metadata.ts";

export interface AppIngressProps {
  readonly names: Names;
  readonly namespace: string;

  /** The Service that gets the requests, and its port. */
  readonly service: string;
  readonly port: number;

  readonly host: string;

  /** What a path begins with. */
  readonly path: string;

  /** The class of the controller. @default - the cluster's default class */
  readonly class?: string | undefined;

  /** A Secret with the certificate. @default - no TLS */
  readonly tlsSecret?: string | undefined;

  readonly annotations: Readonly<Record<string, string>>;

  /** Whether a changed Ingress is created before the old one is deleted. */
  readonly overlap: boolean;
}

/**
 * An Ingress that is never updated: the provider replaces an Ingress whole on any update, and with it the annotations, labels
 * and finalizers of controllers. Its name contains a hash of what it says, so that a change is a new Ingress beside the old
 * one, and the old one is deleted by its controllers' rules.
 */
export class AppIngress extends Construct {
  readonly ingress: IngressV1;

  constructor(scope: Construct, id: string, props: AppIngressProps) {
    super(scope, id);
    const { names, namespace, annotations, overlap } = props;
    const spec = specOf(props);
    const says = createHash("sha256")
      .update(JSON.stringify([spec, annotations]))
      .digest("hex")
      .slice(0, 8);

    this.ingress = new IngressV1(this, "ingress", {
      metadata: objectMetadata(names, { name: `${names.app}-${says}`, namespace, annotations }),
      spec,
      waitForLoadBalancer: false,
      lifecycle: {
        createBeforeDestroy: overlap,
        ignoreChanges: ["spec", "metadata[0].annotations", "metadata[0].labels"],
      },
    });
  }
}

const specOf = ({ class: className, host, path, service, port, tlsSecret }: AppIngressProps) => ({
  ...(className !== undefined && { ingressClassName: className }),
  rule: [
    {
      host,
      http: { path: [{ path, pathType: "Prefix", backend: { service: { name: service, port: { number: port } } } }] },
    },
  ],
  ...(tlsSecret !== undefined && { tls: [{ hosts: [host], secretName: tlsSecret }] }),
});
