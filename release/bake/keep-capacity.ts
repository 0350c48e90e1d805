import { readyPods, type Snapshot } from "../snapshot.ts";
import type { BakeOptions } from "./bake.ts";

/**
 * Keeps the new color at the capacity that it was promoted with, and the old one at what carries the traffic now, so that
 * a rollback never lands on less. A deploy during the bake may have lowered the minimums; each check restores them.
 */
export async function keepCapacity(
  { target, authority, release, signal }: Pick<BakeOptions, "target" | "authority" | "release" | "signal">,
  snapshot: Snapshot,
): Promise<void> {
  const { capacity = 0, from, to } = release;
  const wanted = { [to]: capacity, [from]: Math.max(capacity, readyPods(snapshot, to)) };
  for (const color of [from, to]) {
    const { minimum, desired, maximum = Infinity } = snapshot.colors[color];
    const pods = Math.min(wanted[color] ?? 0, maximum);
    // The autoscaler of a color at 0 is off, whatever its minimum.
    if (minimum >= pods && desired > 0) continue;
    await target.capacity.hold(color, pods, authority.fence, signal);
  }
}
