import type { Color } from "../../environment/color.ts";
import { boundOf, difference, slowCalls, sum, undecidedCalls, type CallHistogram } from "../measure/histogram.ts";
import type { Measurements } from "../ports/measurements.ts";

/** Calls by how they went. Pods count a failed call that took long as slow too. */
export interface LiveReading {
  readonly calls: number;
  readonly failed: number;
  /** Undefined if the histogram has no bound as low as the objective: then nothing is known of their speed. */
  readonly slow: number | undefined;
  /** The bound that slow calls were above, in milliseconds; none if there were no calls, or no such bound. */
  readonly slowAboveMs?: number;
  /** Ready pods that could not be read, each with the reason; their calls are in a later reading. */
  readonly unread: readonly string[];
}

const NONE = { calls: 0, failed: 0, slow: 0 } as const;

/**
 * A color's live calls between one reading and the next, without the release's own calls. Own calls whose answers are on
 * their way when a pod is read are subtracted at the next reading.
 */
export class LiveCalls {
  readonly #measurements: Measurements;
  readonly #color: Color;
  readonly #objectiveSeconds: number;
  #before: ReadonlyMap<string, CallHistogram> | undefined;
  /** Own calls that the pods have counted, or will have by the next reading, and that were not subtracted yet. */
  #own = { calls: 0, failed: 0, slow: 0 };

  constructor(measurements: Measurements, color: Color, objectiveMs: number) {
    this.#measurements = measurements;
    this.#color = color;
    this.#objectiveSeconds = objectiveMs / 1000;
  }

  /** A call of the release's own that a pod has answered. */
  subtract({ failed, slow }: { readonly failed: boolean; readonly slow: boolean }): void {
    this.#own.calls += 1;
    if (failed) this.#own.failed += 1;
    if (slow) this.#own.slow += 1;
  }

  /**
   * Counts the calls since the last reading. The first one of each pod has nothing to compare with and finds none.
   *
   * @throws TargetUnreachable, TargetRefused if no pod could be read
   */
  async read(signal: AbortSignal): Promise<LiveReading> {
    const { pods, unread } = await this.#measurements.calls(this.#color, signal);
    const before = this.#before;
    // A pod that cannot be read now is compared with its last reading later.
    this.#before = new Map([...(before ?? []), ...pods]);
    if (before === undefined) {
      this.#own = { calls: 0, failed: 0, slow: 0 };
      return { ...NONE, unread };
    }
    const known = [...pods].flatMap(([pod, calls]) => {
      const earlier = before.get(pod);
      return earlier === undefined ? [] : [difference(earlier, calls)];
    });
    const during = sum(known);
    const decided = during.calls - undecidedCalls(during, this.#objectiveSeconds);
    const calls = decided - take(this.#own, "calls", decided);
    const failed = during.errors - take(this.#own, "failed", during.errors);
    const counted = slowCalls(during, this.#objectiveSeconds);
    const slow = Math.min(counted - take(this.#own, "slow", counted), calls);
    const bound = boundOf(during, this.#objectiveSeconds);
    return {
      calls,
      failed: Math.min(failed, calls),
      slow: calls === 0 || bound !== undefined ? slow : undefined,
      ...(bound !== undefined && calls > 0 && { slowAboveMs: bound * 1000 }),
      unread,
    };
  }
}

/** Subtracts at most what was counted; the rest is owed at the next reading. */
function take<K extends string>(own: Record<K, number>, key: K, counted: number): number {
  const taken = Math.min(own[key], counted);
  own[key] -= taken;
  return taken;
}
