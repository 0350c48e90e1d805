import type { Color } from "../../environment/color.ts";

/** How a client reaches one color and no other. */
export interface Endpoint {
  readonly url: URL;
  readonly fetch: typeof fetch;
}

/** A pod's own report. */
export interface PodHealth {
  readonly pod: string;
  readonly status: "healthy" | "degraded" | "critical";
  readonly version: string;
  readonly color: string;
}

/** Reaches the pods of a color, whether or not it is live. Both methods throw TargetUnreachable or TargetRefused. */
export interface Probe {
  endpoint(color: Color, signal?: AbortSignal): Promise<Endpoint>;

  /** The reports of the color's ready pods. */
  health(color: Color, signal?: AbortSignal): Promise<readonly PodHealth[]>;
}
