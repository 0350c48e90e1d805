import { PersistentVolumeClaimV1 } from "@cdktf/provider-kubernetes/lib/persistent-volume-claim-v1/index.js";
import { Construct } from "constructs";
import type { Names } from "../environment/names.ts";
import { objectMetadata } from "./object-metadata.ts";

export interface ClaimProps {
  readonly names: Names;
  readonly namespace: string;
  readonly name: string;

  /** A Kubernetes quantity. It can grow where the storage class allows it. */
  readonly size: string;

  /** @default - the cluster's default class */
  readonly class?: string | undefined;

  readonly accessMode: string;
}

/**
 * A PersistentVolumeClaim for pods of both colors. No deploy deletes it, because its data goes with it.
 *
 * A deploy does not wait until it is bound: many classes bind a claim only for its first pod, and a wait that times out
 * taints the claim, which the next plan then replaces.
 */
export class Claim extends Construct {
  readonly claim: PersistentVolumeClaimV1;

  constructor(scope: Construct, id: string, props: ClaimProps) {
    super(scope, id);
    const { names, namespace, name, size, class: storageClassName, accessMode } = props;
    this.claim = new PersistentVolumeClaimV1(this, "claim", {
      metadata: objectMetadata(names, { name, namespace }),
      waitUntilBound: false,
      spec: {
        accessModes: [accessMode],
        ...(storageClassName !== undefined && { storageClassName }),
        resources: { requests: { storage: size } },
      },
      lifecycle: { preventDestroy: true },
    });
  }
}
