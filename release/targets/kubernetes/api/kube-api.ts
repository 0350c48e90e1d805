import type { Duplex } from "node:stream";
import type { Names } from "../../../../environment/names.ts";

/** The kinds of objects that a release reads or writes: API path prefix and plural. */
export const KINDS = {
  Service: { prefix: "api/v1", plural: "services" },
  Pod: { prefix: "api/v1", plural: "pods" },
  Secret: { prefix: "api/v1", plural: "secrets" },
  ConfigMap: { prefix: "api/v1", plural: "configmaps" },
  Event: { prefix: "api/v1", plural: "events" },
  Deployment: { prefix: "apis/apps/v1", plural: "deployments" },
  ReplicaSet: { prefix: "apis/apps/v1", plural: "replicasets" },
  HorizontalPodAutoscaler: { prefix: "apis/autoscaling/v2", plural: "horizontalpodautoscalers" },
  Job: { prefix: "apis/batch/v1", plural: "jobs" },
  Lease: { prefix: "apis/coordination.k8s.io/v1", plural: "leases" },
} as const;

export type Kind = keyof typeof KINDS;

export interface ObjectRef {
  readonly kind: Kind;
  readonly name: string;
}

/** RFC 6902. */
export interface Operation {
  readonly op: "test" | "add" | "replace" | "remove";
  /** RFC 6901. */
  readonly path: string;
  readonly value?: unknown;
}

/** What every object has; the rest of it is the caller's to describe. */
export interface KubeObject {
  readonly metadata: {
    readonly name: string;
    readonly uid?: string;
    readonly resourceVersion?: string;
    readonly generation?: number;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly creationTimestamp?: string;
    readonly deletionTimestamp?: string;
  };
}

/**
 * One namespace of a Kubernetes API server, as far as a release uses it.
 *
 * Every method has a deadline of its own and ends at once when the signal aborts, with the signal's reason. Errors are
 * `ApiError`; a request without an answer has the kind `unreachable`.
 */
export interface KubeApi {
  readonly namespace: string;

  /** The names of the app's objects in the namespace. */
  readonly names: Names;

  /** @returns undefined if the object does not exist */
  get<T extends KubeObject>(object: ObjectRef, signal?: AbortSignal): Promise<T | undefined>;

  /**
   * The metadata of an object alone: the content of a Secret stays in the cluster.
   *
   * @returns undefined if the object does not exist
   */
  metadata(object: ObjectRef, signal?: AbortSignal): Promise<KubeObject | undefined>;

  list<T extends KubeObject>(kind: Kind, options: ListOptions, signal?: AbortSignal): Promise<readonly T[]>;

  create<T extends KubeObject>(kind: Kind, object: object, signal?: AbortSignal): Promise<T>;

  /** Changes an object only if every `test` holds: compare and swap. */
  patch<T extends KubeObject>(object: ObjectRef, operations: readonly Operation[], signal?: AbortSignal): Promise<T>;

  /** The last lines of what a container has printed. */
  log(pod: string, options: LogOptions, signal?: AbortSignal): Promise<string>;

  /** Opens a connection to a port of a pod. It uses the credentials of this moment. */
  forward(pod: string, port: number, signal?: AbortSignal): Promise<Duplex>;
}

export interface ListOptions {
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
}

export interface LogOptions {
  readonly container: string;
  /** Lines from the end. */
  readonly lines: number;
}

/** Escapes a key for a JSON pointer. RFC 6901. */
export const pointer = (key: string): string => key.replaceAll("~", "~0").replaceAll("/", "~1");
