import type { Color } from "../../environment/color.ts";
import type { Fence } from "./fence.ts";

/** One running copy of one color: a process on this machine, a pod in a cluster. */
export interface Pod {
  readonly name: string;
  readonly ready: boolean;
  /** Restarts since the pod was created. A stage always creates new pods. */
  readonly restarts: number;
  /** Whether the pod is of what was staged last; during a rollout, pods of the previous stage remain. */
  readonly current: boolean;
  /**
   * Not ready only because its node has not reported for some time, for instance after an outage of the API server.
   *
   * @default false
   */
  readonly nodeSilent?: boolean;
}

/** Why a color does not become ready, with the target's own words. */
export interface Problem {
  /** One line, such as `mcp-app-green-x7: ImagePullBackOff: … not found`. */
  readonly what: string;
  /** Whether waiting cannot help, so that a release ends early. */
  readonly final: boolean;
}

/** What explains a pod that does not become ready. */
export interface PodReport {
  /** Its latest warnings, oldest first, one line each. */
  readonly events: readonly string[];
  /** The container that has not come up. */
  readonly container: string;
  /** The last lines that this container has printed. */
  readonly log: readonly string[];
}

export interface ColorState {
  /** The artifact that the color is set to run; none before its first stage. For messages, never for comparisons. */
  readonly image?: string;
  /** The mark of the release that staged it; none if an operator did, or Terraform when it created the color. */
  readonly mark?: string;
  /** Number of pods that the color is set to have now; the autoscaler moves it between minimum and maximum. */
  readonly desired: number;
  /** The number of pods that the color does not go below now: what it is held at, or the environment's minimum. */
  readonly minimum: number;
  /** The number of pods that the color does not go above. @default no bound is known */
  readonly maximum?: number;
  /** The minimum that the color is held at, above the environment's; none if that one applies. */
  readonly heldAt?: number;
  /** The autoscaler would have fewer pods than the minimum that it is held at. @default false */
  readonly minimumBinds?: boolean;
  readonly pods: readonly Pod[];
  /** Whether pods of the previous stage remain, or the target has not yet seen the last change. @default false */
  readonly rollingOut?: boolean;
  /** @default none */
  readonly problems?: readonly Problem[];
}

/** The pods of both colors and their number. */
export interface Capacity {
  /** Milliseconds between two checks while a release waits for pods, so that waiting costs ≤ 2 requests a second. */
  readonly checkEveryMs: number;

  /** @throws TargetUnreachable */
  color(color: Color, signal?: AbortSignal): Promise<ColorState>;

  /**
   * The events and the log of a pod that does not become ready. Throws the signal's reason only.
   *
   * @default - the target has none
   */
  explain?(pod: string, signal?: AbortSignal): Promise<PodReport>;

  /**
   * Holds a color at no fewer pods than `pods`, up to its maximum; `undefined` restores the environment's minimum.
   *
   * @throws Displaced, StateChanged, TargetUnreachable, TargetRefused as `Traffic.move`
   */
  hold(color: Color, pods: number | undefined, fence: Fence, signal?: AbortSignal): Promise<void>;
}
