import { checkAlpha, type Counts } from "./counts.ts";
import type { Exceeded } from "./excess-test.ts";
import { exceedsLimit, type Exceeds } from "./exceeds.ts";
import { overlaps, type Increment, type Span } from "./increment.ts";

/** How long the engine waits after an alarm, so that the control has calls of the same time. */
export const CONTROL_WAIT_MS = 3000;

/** How far the control's calls reach back before the calls that raised the alarm: an outage may have begun earlier. */
const LOOK_BACK_MS = 5000;

export interface ControlOptions {
  /** The limit of the objective, 0 to 1. */
  readonly limit: number;
  /**
   * Probability that one check mistakes a bad version for a shared outage. It can be larger than the α of a bake: the
   * next calls of a bad version raise the alarm again, and each further check errs with this probability only.
   *
   * @default 0.05
   */
  readonly alpha?: number;
}

/** The span is the one to set aside if the outage is shared. */
export interface ControlVerdict extends Span {
  /**
   * `shared`: the old color's calls exceed the limit too, in an outage that both colors share. `alone`: they do not, so
   * the new version is bad. `unknown`: there were no calls to the old color.
   */
  readonly outcome: "shared" | "alone" | "unknown";
  /** The old color's calls that were judged. */
  readonly counts: Counts;
}

/**
 * The control of one objective: synthetic calls to the old color, as many as to the new one, in the whole bake.
 *
 * The sequential tests assume that calls are bad independently of each other. In an outage of a dependency they are
 * not, and without a control every good version would be rolled back. An outage is shared if the calls of both colors
 * exceed the limit at the same time, by the mixture likelihood ratio of `ExcessTest`. A shared outage with few bad
 * calls, a tenth for example, is not distinguished from a bad version and is rolled back.
 *
 * Both methods take all calls of the bake in the order of time, also those that were set aside: an outage that raises a
 * second alarm near its end is the same outage. Both return a span to set aside. It reaches back as far as the old
 * color's bad calls do without a gap of 5 s. At a low rate an alarm comes late in an outage, and the calls before it
 * would otherwise count for the rest of the bake.
 */
export class Control {
  readonly #alpha: number;
  readonly #exceeds: Exceeds;

  /** @throws RangeError if the limit or α is not a share */
  constructor({ limit, alpha = 0.05 }: ControlOptions) {
    checkAlpha(alpha);
    this.#alpha = alpha;
    this.#exceeds = exceedsLimit(limit);
  }

  /**
   * Decides whether an alarm of the new color is a shared outage, by the old color's calls from 5 s before those that
   * raised the alarm to 3 s after them. Call it `CONTROL_WAIT_MS` after the alarm.
   *
   * @throws RangeError if the counts are not those of calls
   */
  judge(old: readonly Increment[], { since, until }: Pick<Exceeded, "since" | "until">): ControlVerdict {
    const span = { from: since - LOOK_BACK_MS, to: until + CONTROL_WAIT_MS };
    const counts = within(old, span);
    if (this.#exceeds(counts, this.#alpha)) {
      return { outcome: "shared", counts, from: begin(old, span.from), to: span.to };
    }
    return { outcome: counts.calls === 0 ? "unknown" : "alone", counts, ...span };
  }

  /**
   * Finds a shared outage of the last 8 s that has raised no alarm. Call it at every check without one: at a low rate,
   * several such outages add up to an alarm at a time at which the old color has no bad calls. Here the new color's
   * calls, live and synthetic, must exceed the limit too. Otherwise an old version that is bad alone would set a good
   * new version's calls aside.
   *
   * @param now milliseconds of the increments' clock
   * @returns the span to set aside, if there was an outage
   * @throws RangeError if the counts are not those of calls
   */
  quietOutage(old: readonly Increment[], newColor: readonly Increment[], now: number): Span | undefined {
    const span = { from: now - LOOK_BACK_MS - CONTROL_WAIT_MS, to: now };
    const isShared = [old, newColor].every((calls) => this.#exceeds(within(calls, span), this.#alpha));
    return isShared ? { from: begin(old, span.from), to: now } : undefined;
  }
}

/** The calls of all increments that overlap a span. */
function within(increments: readonly Increment[], span: Span): Counts {
  let calls = 0;
  let bad = 0;
  for (let index = increments.length - 1; index >= 0; index--) {
    const increment = increments[index];
    if (increment === undefined || increment.until < span.from) break;
    if (!overlaps(increment, span)) continue;
    calls += increment.calls;
    bad += increment.bad;
  }
  return { calls, bad };
}

/** When the bad calls began that reach up to a time without a gap; this time if there were none shortly before it. */
function begin(increments: readonly Increment[], time: number): number {
  let from = time;
  for (let index = increments.length - 1; index >= 0; index--) {
    const increment = increments[index];
    if (increment === undefined || increment.until <= from - LOOK_BACK_MS) break;
    if (increment.bad > 0) from = Math.min(from, increment.since);
  }
  return from;
}
