import { NetworkPolicyV1, type NetworkPolicyV1Spec } from "@cdktf/provider-kubernetes/lib/network-policy-v1/index.js";
import { Construct } from "constructs";
import type { Names } from "../environment/names.ts";
import { objectMetadata } from "./object-metadata.ts";

/** Something that the app may open connections to. */
export interface Egress {
  readonly port: number;

  /** @default - anywhere, if there is no `cidr` either */
  readonly namespace?: string | undefined;

  /** @default - anywhere, if there is no `namespace` either */
  readonly cidr?: string | undefined;
}

export interface NetworkPoliciesProps {
  readonly names: Names;
  readonly namespace: string;

  /** The number of the port that clients use. */
  readonly mcpPort: number;

  /** The number of the port with the metrics, if it is not the MCP port. @default - none */
  readonly metricsPort?: number | undefined;

  /**
   * The namespace whose pods may read metrics, besides the app's own.
   *
   * @default "monitoring"
   */
  readonly monitoringNamespace?: string;

  /**
   * What the app asks besides names and HTTPS.
   *
   * @default - nothing
   */
  readonly egress?: readonly Egress[];
}

/**
 * Nothing in, nothing out, but what the app is for: MCP from anywhere, metrics to those who watch; outwards names, HTTPS and what the
 * environment names.
 *
 * Probes and port forwards come from the node that the pod is on, which no policy can shut out.
 */
export class NetworkPolicies extends Construct {
  constructor(scope: Construct, id: string, props: NetworkPoliciesProps) {
    super(scope, id);
    const { names, namespace, mcpPort, metricsPort, monitoringNamespace = "monitoring", egress = [] } = props;
    const policy = (name: string, spec: NetworkPolicyV1Spec) =>
      new NetworkPolicyV1(this, name, { metadata: objectMetadata(names, { name, namespace }), spec });
    const app = { podSelector: { matchLabels: { ...names.labels } } };

    policy("default-deny", { podSelector: {}, policyTypes: ["Ingress", "Egress"] });

    policy(`${names.app}-clients`, {
      ...app,
      policyTypes: ["Ingress"],
      ingress: [{ ports: [tcp(mcpPort)] }],
    });

    if (metricsPort !== undefined) {
      policy(`${names.app}-admin`, {
        ...app,
        policyTypes: ["Ingress"],
        ingress: [{ from: [{ podSelector: {} }, inNamespace(monitoringNamespace)], ports: [tcp(metricsPort)] }],
      });
    }

    policy(`${names.app}-egress`, {
      ...app,
      policyTypes: ["Egress"],
      egress: [
        { ports: [{ port: "53", protocol: "UDP" }, tcp(53)] },
        { ports: [tcp(443)] },
        ...egress.map((to) => ({ to: peers(to), ports: [tcp(to.port)] })),
      ],
    });
  }
}

const tcp = (port: number) => ({ port: String(port), protocol: "TCP" });

const inNamespace = (name: string) => ({
  namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": name } },
});

/** No peer at all means anywhere. */
const peers = ({ namespace, cidr }: Egress) => [
  ...(namespace === undefined ? [] : [inNamespace(namespace)]),
  ...(cidr === undefined ? [] : [{ ipBlock: { cidr } }]),
];
