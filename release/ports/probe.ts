import type { Color } from "../../environment/color.ts";

/** How a client reaches one color and no other. */
export interface Endpoint {
  readonly url: URL;
  /** New connections take the pods in turn. */
  readonly fetch: typeof fetch;
  /** Ready pods behind it. */
  readonly pods: number;
  /** Ends its connections. */
  close(): Promise<void>;
}

/** A pod's own report. */
export interface PodHealth {
  readonly pod: string;
  readonly status: "healthy" | "degraded" | "critical";
  /** @default none */
  readonly why?: string;
}

export interface PodVersion {
  readonly pod: string;
  readonly version: string;
  /** The color that the pod takes itself for. @default - its page names none */
  readonly color?: string;
}

/** Answers of some ready pods, and why there is none of the others. */
export interface FromPods<T> {
  readonly pods: T;
  /** A pod that did not answer, with the reason, one line each. */
  readonly unread: readonly string[];
}

/** Reaches the pods of a color, whether or not it is live. Every method throws TargetUnreachable or TargetRefused. */
export interface Probe {
  endpoint(color: Color, signal?: AbortSignal): Promise<Endpoint>;

  /** The reports of the color's ready pods. Throws if none of them answers. @default - the server has no such page */
  readonly health?: (color: Color, signal?: AbortSignal) => Promise<FromPods<readonly PodHealth[]>>;

  /**
   * Tells one pod of an idle color to end, as a scale-down does; another one takes its place. @default - it cannot
   *
   * @throws StateChanged if the pod is gone
   */
  readonly endPod?: (color: Color, pod: string, signal?: AbortSignal) => Promise<void>;

  /** The versions of the color's ready pods. Throws if none of them answers. @default - the server has no such page */
  readonly versions?: (color: Color, signal?: AbortSignal) => Promise<FromPods<readonly PodVersion[]>>;
}
