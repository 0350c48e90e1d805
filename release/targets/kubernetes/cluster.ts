import {
  ApiException,
  AppsV1Api,
  AutoscalingV2Api,
  CoordinationV1Api,
  CoreV1Api,
  KubeConfig,
  PatchStrategy,
  setHeaderOptions,
} from "@kubernetes/client-node";
import type { Environment } from "../../../environments/environment.ts";
import { TargetUnreachable, UsageError } from "../../target.ts";

/** The API clients of one cluster, and the namespace that a release may touch. */
export interface Cluster {
  readonly namespace: string;
  readonly kubeconfig: KubeConfig;
  readonly core: CoreV1Api;
  readonly apps: AppsV1Api;
  readonly autoscaling: AutoscalingV2Api;
  readonly coordination: CoordinationV1Api;
}

/**
 * Reads the kubeconfig as kubectl does: `KUBECONFIG`, then `~/.kube/config`, then the pod's own service account.
 *
 * @throws UsageError when the environment's context is not in it
 */
export function connect({ namespace, context }: Environment): Cluster {
  const kubeconfig = new KubeConfig();
  kubeconfig.loadFromDefault();
  if (context !== undefined) {
    if (kubeconfig.getContextObject(context) === null) {
      const known = kubeconfig.getContexts().map(({ name }) => `'${name}'`);
      throw new UsageError(`the kubeconfig has no context '${context}'; it has ${known.join(", ") || "none"}`);
    }
    kubeconfig.setCurrentContext(context);
  }
  return {
    namespace,
    kubeconfig,
    core: kubeconfig.makeApiClient(CoreV1Api),
    apps: kubeconfig.makeApiClient(AppsV1Api),
    autoscaling: kubeconfig.makeApiClient(AutoscalingV2Api),
    coordination: kubeconfig.makeApiClient(CoordinationV1Api),
  };
}

/** A change that happens only where its `test` operations hold: compare and swap. RFC 6902. */
export const JSON_PATCH = setHeaderOptions("Content-Type", PatchStrategy.JsonPatch);

/** Escapes a key for a JSON pointer. RFC 6901. */
export const pointer = (key: string): string => key.replaceAll("~", "~0").replaceAll("/", "~1");

const STATUS = { notFound: 404, conflict: 409, testFailed: 422 } as const;

/** Whether the API server answered, and refused for this reason. */
export function refused(error: unknown, ...reasons: readonly (keyof typeof STATUS)[]): boolean {
  return error instanceof ApiException && reasons.some((reason) => error.code === STATUS[reason]);
}

/**
 * Asks the API server.
 *
 * @throws TargetUnreachable for whatever went wrong, in one line; `refused` errors pass through to who can tell what they mean
 */
export async function ask<T>(what: string, request: Promise<T>): Promise<T> {
  try {
    return await request;
  } catch (error) {
    if (refused(error, "notFound", "conflict", "testFailed")) throw error;
    throw new TargetUnreachable(`could not ${what}: ${oneLine(error)}`);
  }
}

/** The same, with nothing for what does not exist. */
export async function find<T>(what: string, request: Promise<T>): Promise<T | undefined> {
  try {
    return await ask(what, request);
  } catch (error) {
    if (refused(error, "notFound")) return undefined;
    throw error;
  }
}

function oneLine(error: unknown): string {
  if (error instanceof ApiException) return `the API server answered ${error.code}`;
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return (cause instanceof Error ? cause.message : String(cause)).replaceAll(/\s+/g, " ").slice(0, 300);
}
