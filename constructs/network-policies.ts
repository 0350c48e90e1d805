import { NetworkPolicyV1, type NetworkPolicyV1Spec } from "@cdktf/provider-kubernetes/lib/network-policy-v1/index.js";
import { Construct } from "constructs";
import type { Names } from "../environment/names.ts";
import { objectMetadata } from "./object-metadata.ts";

/** Something that the app may open connections to. */
export interface Egress {
  readonly port: number;

  /** @default "TCP" */
  readonly protocol?: "TCP" | "UDP";

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

  /** The numbers of other ports that those who watch may read, such as that of metrics. @default - none */
  readonly watchedPorts?: readonly number[];

  /**
   * The namespace whose pods may read metrics, besides the app's own.
   *
   * @default "monitoring"
   */
  readonly monitoringNamespace?: string;

  /**
   * Whether other programs are in the namespace: then only the app's pods are closed, and its neighbors get no metrics.
   *
   * @default false
   */
  readonly sharesNamespace?: boolean;

  /** Namespaces and addresses that may call. @default - anybody */
  readonly clients?: { readonly namespaces: readonly string[]; readonly cidrs: readonly string[] };

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
  /** By their names in the cluster. */
  readonly policies: ReadonlyMap<string, NetworkPolicyV1>;

  constructor(scope: Construct, id: string, props: NetworkPoliciesProps) {
    super(scope, id);
    const { names, namespace, mcpPort, watchedPorts = [], monitoringNamespace = "monitoring", egress = [] } = props;
    const { sharesNamespace = false, clients = { namespaces: [], cidrs: [] } } = props;
    const policies = new Map<string, NetworkPolicyV1>();
    this.policies = policies;
    const policy = (name: string, spec: NetworkPolicyV1Spec) => {
      const metadata = objectMetadata(names, { name, namespace });
      policies.set(name, new NetworkPolicyV1(this, name, { metadata, spec }));
    };
    const app = { podSelector: { matchLabels: { ...names.labels } } };

    if (sharesNamespace) policy(`${names.app}-default-deny`, { ...app, policyTypes: ["Ingress", "Egress"] });
    else policy("default-deny", { podSelector: {}, policyTypes: ["Ingress", "Egress"] });

    policy(`${names.app}-clients`, {
      ...app,
      policyTypes: ["Ingress"],
      ingress: [{ ...peersOf(clients), ports: [tcp(mcpPort)] }],
    });

    if (watchedPorts.length > 0) {
      policy(`${names.app}-admin`, {
        ...app,
        policyTypes: ["Ingress"],
        ingress: [
          {
            from: [...(sharesNamespace ? [] : [{ podSelector: {} }]), inNamespace(monitoringNamespace)],
            ports: watchedPorts.map(tcp),
          },
        ],
      });
    }

    policy(`${names.app}-egress`, {
      ...app,
      policyTypes: ["Egress"],
      egress: [
        { ports: [{ port: "53", protocol: "UDP" }, tcp(53)] },
        { ports: [tcp(443)] },
        ...egress.map((to) => ({ to: peers(to), ports: [{ port: String(to.port), protocol: to.protocol ?? "TCP" }] })),
      ],
    });
  }
}

const tcp = (port: number) => ({ port: String(port), protocol: "TCP" });

const inNamespace = (name: string) => ({
  namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": name } },
});

function peersOf({ namespaces, cidrs }: NonNullable<NetworkPoliciesProps["clients"]>) {
  const from = [...namespaces.map(inNamespace), ...cidrs.map((cidr) => ({ ipBlock: { cidr } }))];
  return from.length === 0 ? {} : { from };
}

/** No peer at all means anywhere. */
const peers = ({ namespace, cidr }: Egress) => [
  ...(namespace === undefined ? [] : [inNamespace(namespace)]),
  ...(cidr === undefined ? [] : [{ ipBlock: { cidr } }]),
];
