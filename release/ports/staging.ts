import type { Color } from "../../environment/color.ts";
import type { Fence } from "./fence.ts";

export interface Stage {
  readonly color: Color;
  /** An image, or on this machine the path of a bundle. */
  readonly image: string;
  /** Identifies this stage in the pods that it creates. The same image with a new mark creates new pods. */
  readonly mark: string;
}

/** A setting that the environment has and the live pods do not have yet. */
export interface PendingChange {
  /** Its path, such as `env.LOG_LEVEL`. */
  readonly setting: string;
  readonly running: string | undefined;
  readonly wanted: string | undefined;
}

/** A Secret or ConfigMap that pods of a color name, and that others have written since the color was staged. */
export interface ChangedReference {
  /** Such as `Secret 'login'`. */
  readonly object: string;
  readonly change: "changed" | "deleted" | "created";
}

/** Puts artifacts and settings on a color. */
export interface Staging {
  /**
   * Puts an artifact and the environment's settings on the idle color. Staging again with the same mark changes nothing.
   * Does not wait for the pods.
   *
   * @throws TrafficMoved if the color is live
   * @throws Displaced if a later holder of the lease was seen
   * @throws UsageError if the artifact does not exist, or a deploy is needed first
   * @throws TargetUnreachable, TargetRefused
   */
  stage(stage: Stage, fence: Fence, signal: AbortSignal): Promise<void>;

  /**
   * What the color's pods name and others have written since the stage. Pods that start now read another content than their
   * neighbors. @default - pods of this target name no such objects
   */
  changed?(color: Color, signal?: AbortSignal): Promise<readonly ChangedReference[]>;

  /** Settings of the environment that the live pods do not have yet; the next release applies them. */
  pending(live: Color, signal?: AbortSignal): Promise<readonly PendingChange[]>;
}
