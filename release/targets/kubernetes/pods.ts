import { CONTAINER } from "../../../environment/names.ts";
import type { Color } from "../../../environment/color.ts";
import type { KubeApi, KubeObject } from "./api/kube-api.ts";
import { attempt } from "./attempt.ts";

/** A pod, as far as a release reads it. */
export interface KubePod extends KubeObject {
  readonly spec?: { readonly containers?: readonly Container[] };
  readonly status?: {
    readonly phase?: string;
    readonly conditions?: readonly Condition[];
    readonly containerStatuses?: readonly ContainerStatus[];
    readonly initContainerStatuses?: readonly ContainerStatus[];
  };
}

export interface Container {
  readonly name: string;
  readonly image?: string;
}

export interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
}

export interface ContainerStatus {
  readonly name: string;
  readonly ready?: boolean;
  readonly restartCount?: number;
  readonly state?: {
    readonly waiting?: { readonly reason?: string; readonly message?: string };
    readonly terminated?: Terminated;
  };
  readonly lastState?: { readonly terminated?: Terminated };
}

interface Terminated {
  readonly reason?: string;
  readonly message?: string;
  readonly exitCode?: number;
}

/**
 * The pods of a color that run or are about to. A pod that is being deleted, or has finished for instance because it was
 * evicted, does not count: it stays in the list until it is deleted.
 */
export async function listPods(api: KubeApi, color: Color, signal?: AbortSignal): Promise<readonly KubePod[]> {
  const options = { labelSelector: asSelector(api.names.colorLabels(color)) };
  const pods = await attempt(`list the pods of ${color}`, api.list<KubePod>("Pod", options, signal));
  return pods.filter(
    ({ metadata, status }) =>
      metadata.deletionTimestamp === undefined && status?.phase !== "Failed" && status?.phase !== "Succeeded",
  );
}

export const asSelector = (labels: Readonly<Record<string, string>>): string =>
  Object.entries(labels)
    .map(([name, value]) => `${name}=${value}`)
    .join(",");

export const isReady = ({ status }: KubePod): boolean =>
  status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") ?? false;

/**
 * A node that does not report has its pods marked as not ready by the cluster. The containers' own state, which only the
 * kubelet writes, stays as it was.
 *
 * @see https://kubernetes.io/docs/concepts/architecture/nodes/#node-controller
 */
export function isNodeSilent({ status }: KubePod): boolean {
  const condition = (wanted: string) => status?.conditions?.find(({ type }) => type === wanted);
  const ready = condition("Ready");
  return (
    ready?.status === "False" &&
    ready.reason !== "ReadinessGatesNotReady" &&
    condition("ContainersReady")?.status === "True"
  );
}

export const restartsOf = ({ status }: KubePod): number =>
  (status?.containerStatuses ?? []).reduce((sum, { restartCount = 0 }) => sum + restartCount, 0);

export const imageOf = (containers: readonly Container[] = []): string | undefined =>
  containers.find(({ name }) => name === CONTAINER)?.image;
