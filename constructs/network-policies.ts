import { NetworkPolicyV1, type NetworkPolicyV1Spec } from "@cdktf/provider-kubernetes/lib/network-policy-v1/index.js";
import { Construct } from "constructs";
import { APP, appLabels, PORTS } from "../environments/names.ts";

export interface NetworkPoliciesProps {
  readonly namespace: string;

  /**
   * The namespace whose pods may read metrics, besides the app's own.
   *
   * @default "monitoring"
   */
  readonly monitoringNamespace?: string;
}

/**
 * Nothing in, nothing out, but what the app is for: MCP from anywhere, metrics to those who watch, names and HTTPS outwards.
 *
 * Probes and port forwards come from the node that the pod is on, which no policy can shut out.
 */
export class NetworkPolicies extends Construct {
  constructor(scope: Construct, id: string, { namespace, monitoringNamespace = "monitoring" }: NetworkPoliciesProps) {
    super(scope, id);
    const policy = (name: string, spec: NetworkPolicyV1Spec) =>
      new NetworkPolicyV1(this, name, { metadata: { name, namespace }, spec });
    const app = { podSelector: { matchLabels: appLabels() } };

    policy("default-deny", { podSelector: {}, policyTypes: ["Ingress", "Egress"] });

    policy(`${APP}-clients`, {
      ...app,
      policyTypes: ["Ingress"],
      ingress: [{ ports: [tcp(PORTS.mcp.number)] }],
    });

    policy(`${APP}-admin`, {
      ...app,
      policyTypes: ["Ingress"],
      ingress: [
        {
          from: [
            { podSelector: {} },
            { namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": monitoringNamespace } } },
          ],
          ports: [tcp(PORTS.admin.number)],
        },
      ],
    });

    policy(`${APP}-egress`, {
      ...app,
      policyTypes: ["Egress"],
      egress: [{ ports: [{ port: "53", protocol: "UDP" }, tcp(53)] }, { ports: [tcp(443)] }],
    });
  }
}

const tcp = (port: number) => ({ port: String(port), protocol: "TCP" });
