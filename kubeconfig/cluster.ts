import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { InvalidKubeconfig } from "./invalid-kubeconfig.ts";
import { kubeconfigFiles, loadKubeconfig, type Surroundings } from "./load.ts";
import { hasCertificate, isBase64 } from "./pem.ts";
import { NO_USER, type ClusterEntry, type UserEntry } from "./schema.ts";

const SERVICE_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount";

/** A cluster and an identity, as a context of a kubeconfig names them. */
export interface ContextCluster {
  readonly kind: "context";
  readonly context: string;
  /** The kubeconfig files that exist, absolute. */
  readonly files: readonly string[];
  readonly clusterName: string;
  readonly cluster: ClusterEntry;
  /** Empty if the context names no user. */
  readonly userName: string;
  readonly user: UserEntry;
  /** The names that Terraform would read from another file than kubectl: client and provider merge differently. */
  readonly ambiguous: readonly string[];
}

/** The cluster that this process runs in, with the service account of its pod. */
export interface OwnCluster {
  readonly kind: "own";
  readonly server: string;
  readonly tokenFile: string;
  readonly caFile: string;
}

export type ChosenCluster = ContextCluster | OwnCluster;

/**
 * The cluster that kubectl would use: the wanted context, otherwise the current one, otherwise that of the pod that this
 * process runs in.
 *
 * @throws InvalidKubeconfig if there is none, or kubectl would not use it as it is, or would guess
 */
export function chooseCluster(surroundings: Surroundings, wantedContext?: string): ChosenCluster {
  const kubeconfig = loadKubeconfig(surroundings);
  const context = wantedContext ?? kubeconfig.currentContext;
  if (context === "") {
    const own = ownCluster(surroundings);
    if (own !== undefined) return own;
    throw new InvalidKubeconfig(
      kubeconfig.files.length === 0
        ? `there is no kubeconfig: ${quoted(kubeconfigFiles(surroundings))} does not exist, and this is no pod of a cluster; name your file in KUBECONFIG`
        : `${quoted(kubeconfig.files)} has no current-context; choose one with 'kubectl config use-context', or name it in the environment`,
    );
  }
  const chosen = kubeconfig.contexts.get(context);
  if (chosen === undefined) {
    if (kubeconfig.files.length === 0) {
      throw new InvalidKubeconfig(
        `there is no kubeconfig with the context '${context}': ${quoted(kubeconfigFiles(surroundings))} does not exist; name your file in KUBECONFIG`,
      );
    }
    const known = quoted([...kubeconfig.contexts.keys()].slice(0, 20));
    throw new InvalidKubeconfig(`the kubeconfig has no context '${context}'; it has ${known || "none"}`);
  }
  const { cluster: clusterName, user: userName } = chosen.entry;
  const cluster = kubeconfig.clusters.get(clusterName);
  if (cluster === undefined) throw missing(context, "cluster", clusterName);
  const user = userName === "" ? { entry: NO_USER, definedIn: [] } : kubeconfig.users.get(userName);
  if (user === undefined) throw missing(context, "user", userName);
  checkCluster(clusterName, cluster.entry);
  checkUser(userName, user.entry);
  // Without TLS no identity is sent at all.
  if (/^https:/i.test(cluster.entry.server) && !identifies(user.entry)) {
    const whose = userName === "" ? "names no user" : `names the user '${userName}', who has no credentials`;
    throw new InvalidKubeconfig(
      `context '${context}' of the kubeconfig ${whose}; kubectl would ask for a name and a password`,
    );
  }
  const twice = (kind: string, name: string, { definedIn }: { readonly definedIn: readonly string[] }) =>
    definedIn.length > 1 ? [`${kind} '${name}' in ${quoted(definedIn)}`] : [];
  return {
    kind: "context",
    context,
    files: kubeconfig.files,
    clusterName,
    cluster: cluster.entry,
    userName,
    user: user.entry,
    ambiguous: [
      ...twice("context", context, chosen),
      ...twice("cluster", clusterName, cluster),
      ...twice("user", userName, user),
    ],
  };
}

/** The cluster of the pod that this process runs in, if it is one with a service account. */
export function ownCluster({ variables, serviceAccount = SERVICE_ACCOUNT }: Surroundings): OwnCluster | undefined {
  const { KUBERNETES_SERVICE_HOST: host = "", KUBERNETES_SERVICE_PORT: port = "" } = variables;
  const tokenFile = join(serviceAccount, "token");
  if (host === "" || port === "" || statSync(tokenFile, { throwIfNoEntry: false })?.isFile() !== true) return undefined;
  const address = host.includes(":") ? `[${host}]` : host;
  return { kind: "own", server: `https://${address}:${port}`, tokenFile, caFile: join(serviceAccount, "ca.crt") };
}

function checkCluster(name: string, cluster: ClusterEntry): void {
  const refuse = (problem: string) => new InvalidKubeconfig(`cluster '${name}' of the kubeconfig ${problem}`);
  if (cluster.server === "") throw refuse("has no server");
  const authority = contentOf(refuse, cluster, "certificate-authority");
  if (authority === undefined) return;
  if (cluster["insecure-skip-tls-verify"]) {
    throw refuse("has a certificate authority and 'insecure-skip-tls-verify'; keep one of them");
  }
  // Node would trust nobody instead.
  if (!hasCertificate(authority)) throw refuse("has a 'certificate-authority' without a certificate in PEM format");
}

function checkUser(name: string, user: UserEntry): void {
  const refuse = (problem: string) => new InvalidKubeconfig(`user '${name}' of the kubeconfig ${problem}`);
  if (user["auth-provider"] != null) {
    throw refuse(
      `uses the auth-provider '${user["auth-provider"].name}', which Kubernetes has replaced; use an exec plugin of your cloud`,
    );
  }
  const certificate = contentOf(refuse, user, "client-certificate");
  const key = contentOf(refuse, user, "client-key");
  if (certificate !== undefined && key === undefined) throw refuse("has a client certificate without its key");
  if (user.token !== "" && user.username + user.password !== "") throw refuse("has a token and a password; keep one");
  const others = user["as-uid"] !== "" || user["as-groups"].length > 0 || Object.keys(user["as-user-extra"]).length > 0;
  if (others && user.as === "") throw refuse("impersonates a uid, groups or extra fields without a user ('as')");
  if (user.exec != null) checkExec(refuse, user.exec);
}

const identifies = (user: UserEntry) =>
  user.exec != null ||
  [user.token, user.tokenFile, user.username, user["client-certificate"], user["client-certificate-data"]].some(
    (credential) => credential !== "",
  );

type Refuse = (problem: string) => InvalidKubeconfig;

function contentOf<Field extends string>(
  refuse: Refuse,
  entry: Readonly<Record<Field | `${Field}-data`, string>>,
  field: Field,
): Buffer | undefined {
  const file: string = entry[field];
  const data: string = entry[`${field}-data`];
  if (file !== "" && data !== "") throw refuse(`has both '${field}' and '${field}-data'; keep one`);
  if (!isBase64(data)) throw refuse(`has a '${field}-data' that is not base64`);
  if (data !== "") return Buffer.from(data, "base64");
  if (file === "") return undefined;
  try {
    return readFileSync(file);
  } catch (error) {
    throw refuse(`names a '${field}' that cannot be read: ${(error as Error).message}`);
  }
}

const EXEC_VERSIONS = ["client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1"];
const INTERACTIVE_MODES = ["Never", "IfAvailable", "Always"];

function checkExec(refuse: Refuse, exec: NonNullable<UserEntry["exec"]>): void {
  if (exec.command === "") throw refuse("has an exec plugin without a command");
  if (!EXEC_VERSIONS.includes(exec.apiVersion)) {
    throw refuse(`has an exec plugin of apiVersion '${exec.apiVersion}'; it must be ${EXEC_VERSIONS.join(" or ")}`);
  }
  // The older version has a default.
  const mode = exec.interactiveMode || (exec.apiVersion.endsWith("/v1beta1") ? "IfAvailable" : "");
  if (!INTERACTIVE_MODES.includes(mode)) {
    throw refuse(`has an exec plugin with interactiveMode '${mode}'; it must be ${INTERACTIVE_MODES.join(", ")}`);
  }
  if (exec.env.some((variable) => variable.name === ""))
    throw refuse("has an exec plugin with an 'env' without a name");
}

const missing = (context: string, kind: string, name: string) =>
  new InvalidKubeconfig(`context '${context}' of the kubeconfig names the ${kind} '${name}', which no file defines`);

const quoted = (names: readonly string[]) => names.map((name) => `'${name}'`).join(", ");
