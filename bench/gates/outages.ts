import { isAlwaysBad, judged, type Comparison } from "../../release/bake/comparison.ts";
import { objectiveOf } from "../../release/bake/objectives.ts";
import { Control, CONTROL_WAIT_MS } from "../../release/statistics/control.ts";
import type { Counts } from "../../release/statistics/counts.ts";
import { ExcessTest } from "../../release/statistics/excess-test.ts";
import type { Span } from "../../release/statistics/increment.ts";
import { alphaOf, FAILED_LIMIT, FAILURE_LIMIT, INTERVAL_SECONDS, RATE } from "./bakes.ts";
import { FixedWindow } from "./fixed-window.ts";
import { binomial } from "./random.ts";

const BAKE_SECONDS = 900;
const EVERY_SECONDS = 180;
const OUTAGE_SECONDS = 5;

const FAILED: Comparison["objective"] = objectiveOf("failed", FAILED_LIMIT, { detect: 3, alpha: 0.01 });

/** Half of the limit: a good version, and the old color. */
const GOOD = FAILED_LIMIT / 2;

export interface OutageBake {
  /** The share of calls to both colors that fail in an outage: 5 s every 3 minutes. */
  readonly inOutage: number;
  /** The share of the new color's calls that fail all the time. @default half of the limit */
  readonly alone?: number;
  /** Synthetic calls per second to each color; 0 for a bake without a control. */
  readonly control: number;
  /** Live calls per second. @default 14 */
  readonly rate?: number;
}

/**
 * A bake of 15 minutes, checked every second, as the engine runs it: after an alarm it waits, judges the control, and
 * sets a shared outage aside or rolls back.
 *
 * @returns the seconds until the rollback, if there was one
 */
export function bakeWithOutages(options: OutageBake, uniform: () => number): number | undefined {
  const { control, rate = RATE } = options;
  const [newColor, oldColor] = colors(options, uniform);
  const tests = (["live", "synthetic"] as const).map(
    (source) => new ExcessTest({ limit: FAILED_LIMIT, alpha: alphaOf(source) }),
  );
  const comparison: Comparison = { objective: FAILED, control: new Control({ limit: FAILED_LIMIT }), old: [], new: [] };
  const asides: Span[] = [];
  const setAside = (span: Span) => {
    asides.push(span);
    for (const test of tests) test.setAside(span.from, span.to);
  };

  let decideAt: number | undefined;
  for (let second = 0; second < BAKE_SECONDS; second++) {
    const until = 1000 * (second + 1);
    const span = { since: 1000 * second, until };
    // Live and synthetic calls are judged apart.
    for (const [index, calls] of [rate, control].entries()) {
      const increment = { ...newColor(second, calls), ...span };
      comparison.new.push(increment);
      tests[index]?.add(increment);
    }
    comparison.old.push({ ...oldColor(second, control), ...span });

    const alarm = tests.find(({ exceeded }) => exceeded)?.exceeded;
    if (alarm === undefined) {
      const outage = comparison.control.quietOutage(comparison.old, comparison.new, until);
      if (outage !== undefined && !isAlwaysBad(comparison, outage, asides)) setAside(outage);
      continue;
    }
    decideAt ??= control > 0 ? until + CONTROL_WAIT_MS : until;
    if (until < decideAt) continue;
    const verdict = judged({ ...comparison, exceeded: alarm }, asides);
    if (verdict.outcome !== "shared") return until / 1000;
    setAside(verdict);
    decideAt = undefined;
  }
  return undefined;
}

/** The same bake under the fixed-window rule, which has no control. */
export function fixedWindowWithOutages(options: OutageBake, uniform: () => number): number | undefined {
  const { rate = RATE } = options;
  const [newColor] = colors(options, uniform);
  const rule = new FixedWindow(FAILED_LIMIT, rate * INTERVAL_SECONDS, FAILURE_LIMIT);
  for (let second = 0; second < BAKE_SECONDS; second++) {
    rule.add(newColor(second, rate));
    if (rule.exceeded) return second + 1;
  }
  return undefined;
}

type CallsOfSecond = (second: number, calls: number) => Counts;

/** The new and the old color, with the same outages. */
function colors(options: OutageBake, uniform: () => number): readonly [CallsOfSecond, CallsOfSecond] {
  const { inOutage, alone = GOOD, control, rate = RATE } = options;
  const phase = uniform() * EVERY_SECONDS;
  const color = (share: number): CallsOfSecond => {
    const most = Math.max(rate, control);
    const outside = binomial(most, share, uniform);
    const inside = binomial(most, Math.max(inOutage, share), uniform);
    return (second, calls) => {
      const affected = Math.round(calls * partInOutage((second + phase) % EVERY_SECONDS));
      return { calls, bad: inside(affected) + outside(calls - affected) };
    };
  };
  return [color(alone), color(GOOD)];
}

/** The part of a second that is in an outage, by the seconds since the last one began. */
function partInOutage(begin: number): number {
  const next = Math.max(0, begin + 1 - EVERY_SECONDS);
  return Math.max(0, Math.min(OUTAGE_SECONDS, begin + 1) - begin) + next;
}
