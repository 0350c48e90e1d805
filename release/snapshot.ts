import type { Color } from "../environment/color.ts";
import type { ColorState } from "./ports/capacity.ts";
import type { Target } from "./ports/target.ts";
import type { ReleaseRecord } from "./record.ts";

/** All that a release decides on, read from the target. The engine's next action follows from this alone. */
export interface Snapshot {
  readonly live: Color;
  readonly colors: Readonly<Record<Color, ColorState>>;
  /** The release in progress, or the last one. */
  readonly release?: ReleaseRecord;
}

/** @throws what the ports throw */
export async function observe({ traffic, capacity, records }: Target, signal?: AbortSignal): Promise<Snapshot> {
  const [live, release, blue, green] = await Promise.all([
    traffic.live(signal),
    records.read(signal),
    capacity.color("blue", signal),
    capacity.color("green", signal),
  ]);
  return { live, release, colors: { blue, green } };
}

export function readyPods(snapshot: Snapshot, color: Color): number {
  return readyIn(snapshot.colors[color]);
}

/**
 * The pods that carry the traffic now, without those that a rollout adds for a moment. A color that takes it over needs at
 * least one.
 */
export function carrying(snapshot: Snapshot, color: Color): number {
  return Math.max(1, Math.min(readyPods(snapshot, color), snapshot.colors[color].desired));
}

export const readyIn = ({ pods }: ColorState): number => pods.filter(({ ready }) => ready).length;
