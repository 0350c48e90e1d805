import type { Color } from "../../environment/color.ts";
import type { CallHistogram } from "../measure/histogram.ts";
import type { FromPods } from "./probe.ts";

/** What a color's live calls look like. */
export interface Measurements {
  /**
   * Tool calls since each ready pod's start, by pod name.
   *
   * @throws TargetUnreachable, TargetRefused if none of the ready pods could be read; no data is never zero calls
   */
  calls(color: Color, signal?: AbortSignal): Promise<FromPods<ReadonlyMap<string, CallHistogram>>>;
}
