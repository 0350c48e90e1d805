import type { Color } from "../environment/color.ts";
import type { EngineOptions } from "./engine-options.ts";

/** The stabilization window of an autoscaler: what it recommends now, it goes by after this time at the latest. */
const WINDOW_SECONDS = 300;

/**
 * Waits until a color needs its hold no more: its autoscaler recommends as many pods by itself, or its window is over.
 *
 * A color that got the traffic back a moment ago was idle before, and its autoscaler would still scale it down to that.
 */
export async function waitForAutoscaler(
  { target, listener, signal, clock }: Pick<EngineOptions, "target" | "listener" | "signal" | "clock">,
  color: Color,
): Promise<void> {
  const deadline = clock.now() + WINDOW_SECONDS * 1000;
  let announced = false;
  for (;;) {
    const { heldAt, minimumBinds } = await target.capacity.color(color, signal);
    if (heldAt === undefined || minimumBinds !== true || clock.now() >= deadline) return;
    if (!announced) {
      const message = `holding ${color} at ${heldAt} pods until its autoscaler has seen the traffic, ${WINDOW_SECONDS} s at most`;
      listener({ type: "progress", message });
    }
    announced = true;
    await clock.sleep(target.capacity.checkEveryMs, signal);
  }
}
