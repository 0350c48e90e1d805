import type { Color } from "../../environment/color.ts";
import type { CallHistogram } from "../measure/histogram.ts";

/** What a color's live calls look like. */
export interface Measurements {
  /**
   * Tool calls since each pod's start, by pod name.
   *
   * @throws TargetUnreachable if a ready pod could not be read; no data is never zero calls
   */
  calls(color: Color, signal?: AbortSignal): Promise<ReadonlyMap<string, CallHistogram>>;
}
