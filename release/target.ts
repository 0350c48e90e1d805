import type { Color } from "./color.ts";
import type { ReleaseRecord } from "./record.ts";

/** One running copy of one color: a process on this machine, a pod in a cluster. */
export interface Pod {
  readonly name: string;
  readonly ready: boolean;
  readonly restarts: number;
  /** The artifact that this pod runs; during a rollout it may not yet be the color's. */
  readonly image: string;
}

export interface ColorState {
  /** The artifact that the color is told to run; nothing before its first stage. */
  readonly image?: string;
  /** Pods the color is told to have now; the autoscaler moves it between minimum and maximum. */
  readonly desired: number;
  /** The minimum that the color is held at now; nothing where nothing holds it but the environment. */
  readonly pinned?: number;
  readonly pods: readonly Pod[];
  /** Whether some of its pods are still of what it was told to run before: another image, or other settings. @default false */
  readonly rollingOut?: boolean;
  /** The settings its pods were staged with, by name. */
  readonly settings: Readonly<Record<string, string>>;
}

/** All that a target knows, at one moment. What the engine does next follows from this alone. */
export interface Snapshot {
  readonly live: Color;
  readonly colors: Readonly<Record<Color, ColorState>>;
  /** The settings that the environment wants its pods to have; what differs waits for the next release. */
  readonly wanted: Readonly<Record<string, string>>;
  /** The release under way, or the last one; it is kept by the target, not by whoever runs the command. */
  readonly release?: ReleaseRecord;
}

/** Where a color answers: how a client reaches it, and only it. */
export interface Endpoint {
  readonly url: URL;
  readonly fetch: typeof fetch;
}

export function readyPods(snapshot: Snapshot, color: Color): number {
  return snapshot.colors[color].pods.filter((pod) => pod.ready).length;
}

/** What one pod says of itself. */
export interface PodHealth {
  readonly pod: string;
  readonly status: "healthy" | "degraded" | "critical";
  readonly version: string;
  readonly color: string;
}

/**
 * Where a release runs. Each call is one look or one change; none waits for its effect, so that the engine, and not the target,
 * decides how long to wait and what to do meanwhile.
 *
 * Every method throws `TargetUnreachable` when it could not look; a gate turns that into `hold`.
 */
export interface Target {
  look(): Promise<Snapshot>;

  /**
   * Puts an artifact on the idle color. The other color is not touched.
   *
   * @throws TrafficMoved when this color holds the traffic
   */
  stage(color: Color, image: string): Promise<void>;

  /** Holds a color at no fewer pods than this; `undefined` gives it back to the environment's minimum. */
  pin(color: Color, pods: number | undefined): Promise<void>;

  /**
   * Moves the traffic, by compare and swap.
   *
   * @throws TrafficMoved when `from` does not hold the traffic
   */
  moveTraffic(from: Color, to: Color): Promise<void>;

  /** Keeps the record where the next command, on any machine, finds it. */
  record(release: ReleaseRecord): Promise<void>;

  /**
   * One release at a time. The lease is renewed until it is released and lapses when its holder dies.
   *
   * @param takeOver take it from whoever has it, who then learns that it was lost and changes nothing more
   * @throws LeaseHeld when another command holds it
   */
  lease(holder: string, takeOver: boolean): Promise<Lease>;

  endpoint(color: Color): Promise<Endpoint>;

  health(color: Color): Promise<readonly PodHealth[]>;

  /** Each pod's metrics in the Prometheus text format, by pod name. */
  metrics(color: Color): Promise<ReadonlyMap<string, string>>;

  close(): Promise<void>;
}

export interface Lease {
  /** Aborts when the lease could not be renewed in time: somebody else may now hold it. */
  readonly lost: AbortSignal;
  release(): Promise<void>;
}

export class TargetUnreachable extends Error {
  override readonly name = "TargetUnreachable";
}

export class TrafficMoved extends Error {
  override readonly name = "TrafficMoved";

  constructor(expected: Color, found: Color) {
    super(
      `'${expected}' was to hold the traffic, but '${found}' holds it: somebody else moved it; look with 'release status'`,
    );
  }
}

export class LeaseHeld extends Error {
  override readonly name = "LeaseHeld";

  constructor(holder: string, secondsLeft: number) {
    super(
      `another release holds the lease: ${holder}; wait for it to end, or ${Math.ceil(secondsLeft)} s for the lease to lapse if that command died; ` +
        "to go back at once: release rollback --take-over",
    );
  }
}

/** What was asked for cannot be done as asked; the message says what to do instead. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}
