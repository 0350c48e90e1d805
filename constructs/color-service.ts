import { ServiceV1 } from "@cdktf/provider-kubernetes/lib/service-v1/index.js";
import { Construct } from "constructs";
import { MCP_PORT_NAME, type Names } from "../environment/names.ts";
import type { Color } from "../environment/color.ts";
import { objectMetadata } from "./object-metadata.ts";

export interface ColorServiceProps {
  readonly names: Names;
  readonly namespace: string;
  readonly name: string;

  /** What clients inside the cluster use. */
  readonly port: number;

  /** The color that this Service sends its connections to. */
  readonly color: Color;

  /**
   * Whether a release moves the selector. Terraform then writes it when it creates the Service and never again, so that no deploy
   * moves traffic.
   *
   * @default false: the selector is what `color` says
   */
  readonly releaseDecides?: boolean;

  /** @default "ClusterIP" */
  readonly type?: "ClusterIP" | "NodePort" | "LoadBalancer";

  /** The class of a load balancer. @default - the cluster's own */
  readonly class?: string | undefined;

  /** The addresses that may connect to a load balancer. @default - all */
  readonly sourceRanges?: readonly string[];

  /** @default - those of the app alone */
  readonly labels?: Readonly<Record<string, string>>;

  /** @default - ours alone */
  readonly annotations?: Readonly<Record<string, string>>;

  /** @default - one that is free, if `type` is NodePort */
  readonly nodePort?: number;

  /** Whether all connections of a client's address go to one pod. @default "none" */
  readonly sessionAffinity?: "none" | "clientIp";
}

/** Sends new connections to the ready pods of one color. */
export class ColorService extends Construct {
  readonly service: ServiceV1;

  constructor(scope: Construct, id: string, props: ColorServiceProps) {
    super(scope, id);
    const { names, namespace, name, port, color, releaseDecides = false, type = "ClusterIP" } = props;
    const { nodePort, sourceRanges = [] } = props;
    if (nodePort !== undefined && type !== "NodePort") {
      throw new Error(`'nodePort' (${nodePort}) needs type 'NodePort', not '${type}', for Service '${name}'`);
    }

    this.service = new ServiceV1(this, "service", {
      metadata: objectMetadata(names, {
        name,
        namespace,
        labels: props.labels ?? {},
        annotations: props.annotations ?? {},
      }),
      spec: {
        type,
        selector: { ...names.colorLabels(color) },
        port: [{ name: MCP_PORT_NAME, port, targetPort: MCP_PORT_NAME, protocol: "TCP", nodePort }],
        sessionAffinity: props.sessionAffinity === "clientIp" ? "ClientIP" : "None",
        internalTrafficPolicy: "Cluster",
        // Any node may answer: the color that is live need not have a pod on the one that was asked.
        externalTrafficPolicy: type === "ClusterIP" ? undefined : "Cluster",
        loadBalancerClass: props.class,
        loadBalancerSourceRanges: sourceRanges.length > 0 ? [...sourceRanges] : undefined,
        publishNotReadyAddresses: false,
      },
      // A wait that times out taints the Service, and the next plan replaces it.
      waitForLoadBalancer: type === "LoadBalancer" ? false : undefined,
      lifecycle: releaseDecides ? { ignoreChanges: ["spec[0].selector"] } : undefined,
    });
  }
}
