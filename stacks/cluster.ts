import { checkContext } from "../environment/access.ts";
import type { Environment } from "../environment/environment.ts";
import { userFolder } from "../environment/user-folder.ts";
import { terraformCluster, type TerraformCluster } from "../kubeconfig/terraform.ts";
import type { ProviderCluster } from "./environment-stack.ts";

/**
 * The cluster that kubectl would use, with the environment's context.
 *
 * @throws InvalidKubeconfig if Terraform would reach another cluster or identity
 * @throws InvalidEnvironment if anyone may call the server and nobody named its cluster
 */
export function findCluster(environment: Environment): TerraformCluster {
  const cluster = terraformCluster({ variables: process.env, folder: userFolder() }, environment.context);
  checkContext(environment, cluster.kind === "context" ? cluster.context : undefined);
  return cluster;
}

/**
 * The same for the provider. Without a kubeconfig here, the plan names the environment's context
 * for the one who applies it.
 */
export const providerCluster = (cluster: TerraformCluster, { context }: Environment): ProviderCluster => ({
  files: [],
  context,
  ...cluster,
});
