import type { ChosenCluster } from "../../../../kubeconfig/cluster.ts";
import type { UserEntry } from "../../../../kubeconfig/schema.ts";

/** Lines that tell a person where a command acts, and as whom. They hold no secret. */
export function describeCluster(chosen: ChosenCluster, namespace: string): readonly string[] {
  if (chosen.kind === "own") {
    return [
      `cluster: ${chosen.server}, which this pod runs in`,
      `namespace: ${namespace}`,
      "identity: the service account of this pod",
    ];
  }
  const { clusterName, cluster, context, files, userName, user } = chosen;
  return [
    `cluster: '${clusterName}' at ${cluster.server}`,
    `context: '${context}' of ${files.join(", ")}`,
    `namespace: ${namespace}`,
    `identity: ${identity(userName, user)}`,
  ];
}

function identity(name: string, user: UserEntry): string {
  if (name === "") return "none; the context names no user";
  const groups = user["as-groups"].map((group) => `'${group}'`).join(", ");
  const as = user.as === "" ? "" : `, impersonating '${user.as}'${groups === "" ? "" : ` with the groups ${groups}`}`;
  return `user '${name}' by ${method(user)}${as}`;
}

function method(user: UserEntry): string {
  if (user.token !== "" || user.tokenFile !== "") return "token";
  if (user.username !== "" || user.password !== "") return "password";
  if (user["client-certificate"] !== "" || user["client-certificate-data"] !== "") return "client certificate";
  return user.exec == null ? "nothing" : `the exec plugin '${user.exec.command}'`;
}
