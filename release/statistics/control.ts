import { checkAlpha, type Counts } from "./counts.ts";
import type { Exceeded, Increment } from "./excess-test.ts";
import { evidenceAbove } from "./mixture.ts";

/** How long the engine waits after an alarm, so that the control has calls of the same time. */
export const CONTROL_WAIT_MS = 3000;

/** How far the control's calls reach back before the calls that raised the alarm: an outage may have begun earlier. */
const LOOK_BACK_MS = 5000;

export interface ControlOptions {
  /** The limit of the objective whose test raised the alarm, 0 to 1. */
  readonly limit: number;
  /**
   * Probability that one check mistakes a bad version for a shared outage. It can be larger than the α of a bake: the
   * next calls of a bad version raise the alarm again, and each further check errs with this probability only.
   *
   * @default 0.05
   */
  readonly alpha?: number;
}

export interface ControlVerdict {
  /**
   * `shared`: the old color's calls exceed the limit too, in an outage that both colors share. `alone`: they do not, so
   * the new version is bad. `unknown`: there were no calls to the old color.
   */
  readonly outcome: "shared" | "alone" | "unknown";
  /** The old color's calls that were judged. */
  readonly counts: Counts;
  /** The span to set aside if the outage is shared, in milliseconds of the increments' clock. */
  readonly from: number;
  readonly to: number;
}

/**
 * Decides whether an alarm of the new color is a shared outage: whether the old color's synthetic calls exceed the same
 * limit, by the mixture likelihood ratio of `ExcessTest`. The calls from 5 s before those that raised the alarm to 3 s
 * after them are judged, so call this `CONTROL_WAIT_MS` after the alarm.
 *
 * The sequential tests assume that calls are bad independently of each other. In an outage of a dependency they are
 * not, and without a control every good version would be rolled back. A shared outage with few bad calls, a tenth for
 * example, is not distinguished from a bad version and is rolled back.
 *
 * The span to set aside reaches back as far as the old color's bad calls do without a gap of 5 s. At a low rate, an
 * alarm comes late in an outage, and the calls before it would otherwise count for the rest of the bake.
 *
 * @param old all calls to the old color in the bake, also those of an outage that was set aside before: an outage that
 *   raises a second alarm near its end is the same outage
 * @throws RangeError if the counts are not those of calls, or the limit or α is not a share
 */
export function judgeControl(
  old: readonly Increment[],
  alarm: Pick<Exceeded, "since" | "until">,
  { limit, alpha = 0.05 }: ControlOptions,
): ControlVerdict {
  checkAlpha(alpha);
  const to = alarm.until + CONTROL_WAIT_MS;
  let from = alarm.since - LOOK_BACK_MS;
  let calls = 0;
  let bad = 0;
  for (const increment of old) {
    if (increment.until <= from || increment.since >= to) continue;
    calls += increment.calls;
    bad += increment.bad;
  }
  const isExceeded = evidenceAbove(limit)({ calls, bad }) >= -Math.log(alpha);
  if (isExceeded) {
    for (const { bad, since, until } of old.toReversed()) {
      if (until <= from - LOOK_BACK_MS) break;
      if (bad > 0 && since < from) from = since;
    }
  }
  const outcome = calls === 0 ? "unknown" : isExceeded ? "shared" : "alone";
  return { outcome, counts: { calls, bad }, from, to };
}
