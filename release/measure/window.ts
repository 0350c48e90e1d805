import type { Color } from "../../environment/color.ts";
import type { Measurements } from "../ports/measurements.ts";
import { difference, quantile, sum, type CallHistogram } from "./histogram.ts";

export interface Measurement {
  readonly calls: number;
  readonly errors: number;
  /** None if there were no calls. */
  readonly p95Ms: number | undefined;
}

/** A color's live calls between one check and the next. */
export class LiveWindow {
  readonly #measurements: Measurements;
  readonly #color: Color;
  #before: ReadonlyMap<string, CallHistogram> | undefined;

  constructor(measurements: Measurements, color: Color) {
    this.#measurements = measurements;
    this.#color = color;
  }

  /**
   * Measures the calls since the last one that succeeded. The first one has nothing to compare with and returns no calls.
   *
   * @throws TargetUnreachable if a pod could not be read; the window then grows until the next check
   */
  async advance(signal?: AbortSignal): Promise<Measurement> {
    const now = await this.#measurements.calls(this.#color, signal);
    const before = this.#before;
    this.#before = now;
    if (before === undefined) return { calls: 0, errors: 0, p95Ms: undefined };

    const during = sum([...now].map(([pod, calls]) => difference(before.get(pod), calls)));
    const p95 = quantile(during, 0.95);
    return { calls: during.calls, errors: during.errors, p95Ms: p95 === undefined ? undefined : p95 * 1000 };
  }
}
