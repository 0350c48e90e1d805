import type { DeploymentV1SpecTemplateSpecContainer } from "@cdktf/provider-kubernetes/lib/deployment-v1/index.js";
import type { FileSource } from "./volumes.ts";

/** What all containers of a pod have: the server's, sidecars and init containers. */
export interface ContainerProps {
  /** @default - the image's entry point */
  readonly command?: readonly string[] | undefined;

  /** @default - the image's own */
  readonly args?: readonly string[] | undefined;

  /** Ports by name. */
  readonly ports: Readonly<Record<string, number>>;

  /** Environment variables. */
  readonly env: Readonly<Record<string, string>>;

  /** Environment variables whose values are in objects of the namespace. */
  readonly envFromKeys: Readonly<Record<string, KeyReference>>;

  /** Objects of the namespace all of whose values are environment variables. */
  readonly envFrom: readonly EnvSource[];

  /** Objects of the namespace as files. */
  readonly files: readonly FileSource[];

  /** Kubernetes quantities. */
  readonly resources: {
    readonly requests: { readonly cpu: string; readonly memory: string };
    readonly limits: { readonly cpu?: string; readonly memory: string };
  };

  readonly readOnlyRoot: boolean;
}

/** One value of an object in the namespace. */
export type KeyReference = { readonly key: string; readonly optional: boolean } & ObjectReference;

/** All values of an object in the namespace. */
export type EnvSource = { readonly prefix?: string | undefined; readonly optional: boolean } & ObjectReference;

export type ObjectReference = { readonly secret: string } | { readonly configMap: string };

type Container = Omit<DeploymentV1SpecTemplateSpecContainer, "name" | "image">;

/** A container without its name, its image and its volumes. */
export function container(props: ContainerProps, pullPolicy: string): Container {
  const { command, args, ports, env, envFromKeys, envFrom, resources, readOnlyRoot } = props;
  return {
    imagePullPolicy: pullPolicy,
    ...(command && { command: [...command] }),
    ...(args && { args: [...args] }),
    port: Object.entries(ports).map(([name, containerPort]) => ({ name, containerPort, protocol: "TCP" })),
    env: [
      // First, so that a plain setting can contain them as $(NAME).
      ...Object.entries(envFromKeys).map(([name, reference]) => ({ name, valueFrom: valueFrom(reference) })),
      ...Object.entries(env).map(([name, value]) => ({ name, value })),
    ],
    ...(envFrom.length > 0 && { envFrom: envFrom.map(allOf) }),
    resources: { requests: { ...resources.requests }, limits: { ...resources.limits } },
    securityContext: contained(readOnlyRoot),
  };
}

/** No privileges; and, with a read-only root, nothing to write to but volumes. */
export const contained = (readOnlyRootFilesystem: boolean) => ({
  allowPrivilegeEscalation: false,
  privileged: false,
  readOnlyRootFilesystem,
  runAsNonRoot: true,
  capabilities: { drop: ["ALL"] },
});

function valueFrom({ key, optional, ...of }: KeyReference) {
  const named = { key, ...(optional && { optional }) };
  return "secret" in of
    ? { secretKeyRef: { name: of.secret, ...named } }
    : { configMapKeyRef: { name: of.configMap, ...named } };
}

function allOf({ prefix, optional, ...of }: EnvSource) {
  const object = { ...(optional && { optional }) };
  return {
    ...(prefix !== undefined && { prefix }),
    ...("secret" in of
      ? { secretRef: { name: of.secret, ...object } }
      : { configMapRef: { name: of.configMap, ...object } }),
  };
}
