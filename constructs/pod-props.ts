import type { ContainerProps } from "./container.ts";
import type { Probe } from "./probe.ts";
import type { SchedulingProps } from "./scheduling.ts";
import type { ServerVolume } from "./volumes.ts";

/** What pods of both colors are made of, besides color, image and mark. A release brings it to them; nothing is secret. */
export interface PodProps {
  /** The container of the server, without its image. */
  readonly server: ServerProps;

  /** Containers that run to their end before the server starts, in this order. */
  readonly initContainers: readonly SidecarProps[];

  /** Containers beside that of the server. */
  readonly sidecars: readonly SidecarProps[];

  /** Labels and annotations besides the kit's. */
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;

  readonly serviceAccount: string;

  /** Whether pods get a token for the Kubernetes API. */
  readonly mountToken: boolean;

  /** Names of Secrets for the registries of images. */
  readonly pullSecrets: readonly string[];

  readonly pullPolicy: string;

  readonly security: SecurityProps;

  readonly scheduling: SchedulingProps;

  /** How pods are replaced by others of their color. */
  readonly strategy: Strategy;

  /** The wait between the end of new connections and the signal to stop. @default - none */
  readonly pause?: Pause | undefined;

  /** From the start of the pause until the pod is killed. */
  readonly graceSeconds: number;
}

export interface ServerProps extends ContainerProps {
  /** A variable that tells a pod its color. @default - the server has none */
  readonly colorVariable?: string | undefined;

  readonly probes: { readonly startup: Probe; readonly readiness: Probe; readonly liveness: Probe };

  /** A volume for writes. @default - none */
  readonly data?: DataVolume | undefined;

  readonly volumes: readonly ServerVolume[];

  /** Whether there is a folder `/tmp` to write to. */
  readonly writableTmp: boolean;
}

export interface SidecarProps extends ContainerProps {
  readonly name: string;
  readonly image: string;
}

export type DataVolume = { readonly folder: string } & ({ readonly sizeLimit: string } | { readonly claim: string });

export interface SecurityProps {
  /** @default - the image's */
  readonly user?: number | undefined;

  /** @default - the image's */
  readonly group?: number | undefined;

  /** The group that owns volumes. @default - none changes */
  readonly fsGroup?: number | undefined;
}

export type Strategy =
  | { readonly type: "RollingUpdate"; readonly maxSurge: string; readonly maxUnavailable: string }
  | { readonly type: "Recreate" };

/** A program of the image that waits, or the image from which an init container copies one. */
export type Pause = { readonly command: readonly string[] } | { readonly image: string; readonly seconds: number };
