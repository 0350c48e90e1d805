import type { Color } from "../../environment/color.ts";
import type { Fence } from "./fence.ts";

/** Which color receives the traffic. */
export interface Traffic {
  /** Whether a color is chosen for each request, also on connections that clients keep. @default false */
  readonly byRequest?: boolean;

  /**
   * @throws UsageError if the environment is not deployed here, or its traffic goes to no color
   * @throws TargetUnreachable
   */
  live(signal?: AbortSignal): Promise<Color>;

  /**
   * Moves the traffic with one compare and swap of one object.
   *
   * @throws TrafficMoved if `from` is not the live color
   * @throws Displaced if a later holder of the lease has fenced the object
   * @throws StateChanged if the object was replaced and had to be fenced again; observe before the next try
   * @throws TargetUnreachable if no answer came: the traffic may have moved or not
   * @throws TargetRefused
   */
  move(from: Color, to: Color, fence: Fence, signal?: AbortSignal): Promise<void>;
}
