import type { Color } from "../color.ts";
import type { Target } from "../target.ts";
import { difference, quantile, readCalls, sum, type CallHistogram } from "./histogram.ts";

export interface Measurement {
  readonly calls: number;
  readonly errors: number;
  /** Nothing when there were no calls. */
  readonly p95Ms: number | undefined;
}

/** What a color's pods did between one look and the next, from their own metrics. */
export class LiveWindow {
  readonly #target: Target;
  readonly #color: Color;
  #before: ReadonlyMap<string, CallHistogram> | undefined;

  constructor(target: Target, color: Color) {
    this.#target = target;
    this.#color = color;
  }

  /**
   * Looks, and says what happened since the last look; the first look has nothing to compare with and says no calls.
   *
   * @throws TargetUnreachable when a pod could not be asked; the window then goes on growing until the next look
   */
  async advance(): Promise<Measurement> {
    const scrapes = await this.#target.metrics(this.#color);
    const now = new Map([...scrapes].map(([pod, scrape]) => [pod, readCalls(scrape)]));
    const before = this.#before;
    this.#before = now;
    if (before === undefined) return { calls: 0, errors: 0, p95Ms: undefined };

    const during = sum([...now].map(([pod, calls]) => difference(before.get(pod), calls)));
    const p95 = quantile(during, 0.95);
    return { calls: during.calls, errors: during.errors, p95Ms: p95 === undefined ? undefined : p95 * 1000 };
  }
}
