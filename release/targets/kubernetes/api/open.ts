import { APP, namesOf } from "../../../../environment/names.ts";
import { userFolder } from "../../../../environment/user-folder.ts";
import { InvalidKubeconfig } from "../../../../kubeconfig/invalid-kubeconfig.ts";
import { checkProviderVariables } from "../../../../kubeconfig/terraform.ts";
import { UsageError } from "../../../errors.ts";
import { Client, type ClientOptions } from "./client.ts";
import { Connections } from "./connection.ts";
import { describeCluster } from "./describe.ts";
import type { KubeApi } from "./kube-api.ts";

/** What of an environment says where its objects are. */
interface OpenedEnvironment {
  readonly namespace: string;
  readonly context?: string | undefined;

  /** @default - the default app */
  readonly app?: { readonly name: string };
}

export interface OpenedApi {
  readonly api: KubeApi;
  /** The cluster, the namespace and the identity, a line each, to be shown before anything changes. */
  readonly description: readonly string[];
  /** The context of the kubeconfig. @default - the cluster is that of this pod */
  readonly context?: string | undefined;
  /** Ends every socket, and an exec plugin that runs. */
  readonly close: () => void;
}

/**
 * Opens the API of the cluster that kubectl would use in the same surroundings. It sends nothing.
 *
 * @param context @default - the current one of the kubeconfig, otherwise the cluster of this pod
 * @throws UsageError for a kubeconfig that cannot be used, or variables that move Terraform to another cluster
 */
export function openKubeApi(
  { namespace, context, app }: OpenedEnvironment,
  variables: Readonly<Record<string, string | undefined>> = process.env,
  options: ClientOptions = {},
): OpenedApi {
  try {
    const surroundings = { variables, folder: userFolder(variables) };
    checkProviderVariables(surroundings);
    const connections = new Connections(surroundings, context);
    const client = new Client(connections, namespace, { names: namesOf(app?.name ?? APP), ...options });
    const close = () => {
      client.close();
    };
    const { cluster } = connections;
    const description = describeCluster(cluster, namespace);
    return { api: client, description, context: cluster.kind === "context" ? cluster.context : undefined, close };
  } catch (error) {
    if (error instanceof InvalidKubeconfig) throw new UsageError(error.message);
    throw error;
  }
}
