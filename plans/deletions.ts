import { keyOf, namedObjects, type NamedObject } from "./named-objects.ts";
import { nameOf, type Plan, type ResourceChange } from "./plan.ts";

/** A deletion that leaves pods of a Deployment without something that they name. */
export interface DeletionInUse {
  readonly object: NamedObject;
  readonly namespace: string;
  /** The resource that a plan deletes or replaces. */
  readonly address: string;
  /** The Deployments that name the object. */
  readonly usedBy: readonly string[];
}

const KINDS: Readonly<Record<string, NamedObject["kind"]>> = {
  kubernetes_secret: "Secret",
  kubernetes_config_map: "ConfigMap",
  kubernetes_persistent_volume_claim: "PersistentVolumeClaim",
  kubernetes_service_account: "ServiceAccount",
};

const DEPLOYMENT = "kubernetes_deployment";

/** Resource types come with and without the version of their API. */
const withoutVersion = (type: string) => type.replace(/_v\d+$/, "");

/**
 * The Secrets, ConfigMaps, claims and service accounts that plans delete while a Deployment names them. The pods that run go
 * on; the next ones stay in CreateContainerConfigError, for instance after an eviction or in a rollback.
 *
 * A Deployment counts with what it names now and with what it names after the apply. One that is deleted itself does not count.
 *
 * @param plans of all stacks of an environment: an object and the Deployments that name it are in different ones
 */
export function deletionsInUse(plans: readonly Plan[]): readonly DeletionInUse[] {
  const changes = plans.flatMap(({ resource_changes }) => resource_changes).filter(({ mode }) => mode === "managed");
  const users = changes.flatMap(usersOf);
  return changes.flatMap((change): DeletionInUse[] => {
    const { address, type } = change;
    const kind = KINDS[withoutVersion(type)];
    const deleted = nameOf(change.change.before);
    if (kind === undefined || deleted === undefined || !change.change.actions.includes("delete")) return [];
    const object = { kind, name: deleted.name };
    const usedBy = users
      .filter(({ namespace, names }) => namespace === deleted.namespace && names.has(keyOf(object)))
      .map(({ name }) => name);
    return usedBy.length === 0 ? [] : [{ object, namespace: deleted.namespace, address, usedBy }];
  });
}

/** Whether the plans tell what Deployments name. Without any, no deletion can be judged. */
export const haveDeployments = (plans: readonly Plan[]): boolean =>
  plans.some(({ resource_changes }) => resource_changes.some(isDeployment));

/** The deletion in one line, and what to do instead. */
export const inWords = ({ object: { kind, name }, namespace, address, usedBy }: DeletionInUse): string =>
  `'${address}' would delete ${kind} '${name}' in namespace '${namespace}', which ${usedBy.map((user) => `Deployment '${user}'`).join(" and ")} ` +
  `still ${usedBy.length === 1 ? "names" : "name"}: keep it in the environment until a release has replaced the pods of ${usedBy.length === 1 ? "that color" : "both colors"}`;

const isDeployment = ({ mode, type }: ResourceChange) => mode === "managed" && withoutVersion(type) === DEPLOYMENT;

function usersOf(resource: ResourceChange) {
  const { before, after, actions } = resource.change;
  const named = nameOf(before) ?? nameOf(after);
  if (!isDeployment(resource) || named === undefined || actions.join() === "delete") return [];
  return [{ ...named, names: new Set([...namedObjects(before), ...namedObjects(after)].map(keyOf)) }];
}
