import { chooseCluster, ownCluster, type ChosenCluster } from "./cluster.ts";
import { InvalidKubeconfig } from "./invalid-kubeconfig.ts";
import { kubeconfigFiles, loadKubeconfig, type Surroundings } from "./load.ts";

/** What the Kubernetes provider of Terraform must be told so that it reaches the cluster that kubectl would. */
export type TerraformCluster =
  /** `config_paths` and `config_context`. */
  | { readonly kind: "context"; readonly files: readonly string[]; readonly context: string }
  /** Neither: in a pod the provider finds the service account itself, but only without a path. */
  | { readonly kind: "own" }
  /** No kubeconfig exists here: a plan can be written, and its use names these files. */
  | { readonly kind: "none"; readonly files: readonly string[] };

/**
 * Variables that move the provider alone to another cluster or identity, past its own configuration.
 *
 * @see https://registry.terraform.io/providers/hashicorp/kubernetes/2.38.0/docs#argument-reference
 */
const PROVIDER_VARIABLES = [
  "KUBE_HOST",
  "KUBE_USER",
  "KUBE_PASSWORD",
  "KUBE_TOKEN",
  "KUBE_INSECURE",
  "KUBE_TLS_SERVER_NAME",
  "KUBE_CLIENT_CERT_DATA",
  "KUBE_CLIENT_KEY_DATA",
  "KUBE_CLUSTER_CA_CERT_DATA",
  "KUBE_CONFIG_PATH",
  "KUBE_CONFIG_PATHS",
  "KUBE_CTX",
  "KUBE_CTX_AUTH_INFO",
  "KUBE_CTX_CLUSTER",
  "KUBE_PROXY_URL",
];

/**
 * Finds the cluster for Terraform, by kubectl's rules.
 *
 * @throws InvalidKubeconfig if Terraform would reach another cluster or identity than kubectl
 */
export function terraformCluster(surroundings: Surroundings, wantedContext?: string): TerraformCluster {
  checkProviderVariables(surroundings);
  if (ownCluster(surroundings) === undefined && loadKubeconfig(surroundings).files.length === 0) {
    return { kind: "none", files: kubeconfigFiles(surroundings) };
  }
  return terraformView(chooseCluster(surroundings, wantedContext));
}

/** @throws InvalidKubeconfig if a variable of the provider is set */
export function checkProviderVariables({ variables }: Surroundings): void {
  const set = PROVIDER_VARIABLES.filter((name) => (variables[name] ?? "") !== "");
  if (set.length === 0) return;
  throw new InvalidKubeconfig(
    `${set.join(", ")} would move Terraform alone to another cluster or identity; unset it, and use KUBECONFIG`,
  );
}

/** @throws InvalidKubeconfig if the provider would merge the files into something else */
function terraformView(cluster: ChosenCluster): TerraformCluster {
  if (cluster.kind === "own") return { kind: "own" };
  const { context, files, ambiguous } = cluster;
  if (ambiguous.length === 0) return { kind: "context", files, context };
  throw new InvalidKubeconfig(
    `two files of KUBECONFIG define ${ambiguous.join(" and ")}; kubectl takes the first and Terraform the last: rename or remove one`,
  );
}
