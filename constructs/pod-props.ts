import type { Probe } from "./probe.ts";

/** What pods of both colors are made of, besides color, image and mark. A release brings it to them; nothing is secret. */
export interface PodProps {
  /** Ports by name. */
  readonly ports: Readonly<Record<string, number>>;

  /** @default - the image's entry point */
  readonly command?: readonly string[] | undefined;

  /** @default - the image's own */
  readonly args?: readonly string[] | undefined;

  /** A variable that tells a pod its color. @default - the server has none */
  readonly colorVariable?: string | undefined;

  /** Environment variables. */
  readonly env: Readonly<Record<string, string>>;

  /** Environment variables whose values are in objects of the namespace. */
  readonly envFromKeys: Readonly<Record<string, KeyReference>>;

  /** Kubernetes quantities. */
  readonly resources: {
    readonly requests: { readonly cpu: string; readonly memory: string };
    readonly limits: { readonly cpu?: string; readonly memory: string };
  };

  /** A volume for writes. @default - none */
  readonly data?: ({ readonly sizeLimit: string } | { readonly claim: string }) & { readonly folder: string };

  /** Whether there is a folder `/tmp` to write to. */
  readonly writableTmp: boolean;

  readonly probes: { readonly startup: Probe; readonly readiness: Probe; readonly liveness: Probe };

  /** The wait between the end of new connections and the signal to stop. @default - none */
  readonly pause?: Pause | undefined;

  /** From the start of the pause until the pod is killed. */
  readonly graceSeconds: number;
}

/** One value of an object in the namespace. */
export type KeyReference = { readonly key: string; readonly optional: boolean } & (
  { readonly secret: string } | { readonly configMap: string }
);

/** A program of the image that waits, or the image from which an init container copies one. */
export type Pause = { readonly command: readonly string[] } | { readonly image: string; readonly seconds: number };
