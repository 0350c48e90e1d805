import type { Control, ControlVerdict } from "../statistics/control.ts";
import type { Counts } from "../statistics/counts.ts";
import type { Exceeded } from "../statistics/excess-test.ts";
import { exceedsLimit } from "../statistics/exceeds.ts";
import { overlaps, type Increment, type Span } from "../statistics/increment.ts";
import { interval } from "../statistics/interval.ts";
import type { Objective } from "./objectives.ts";

/** What both colors' calls tell of one objective, in the order of time. */
export interface Comparison {
  readonly objective: Objective;
  readonly control: Control;
  readonly old: Increment[];
  readonly new: Increment[];
}

interface Alarm extends Comparison {
  readonly exceeded: Exceeded;
}

/** Whether the old color's calls of an alarm's time tell an outage of both colors from a version that is bad alone. */
export function judged(alarm: Alarm, setAside: readonly Span[]): ControlVerdict {
  const verdict = alarm.control.judge(alarm.old, alarm.exceeded);
  if (verdict.outcome !== "shared") return verdict;
  if (isAlwaysBad(alarm, verdict, setAside)) return { ...verdict, outcome: "unknown" };
  const now = sumOf(alarm.new.filter((call) => overlaps(call, verdict)));
  const isMuchWorse = interval(verdict.counts, CONTROL_ALPHA).upper < now.bad / now.calls;
  return isMuchWorse ? { ...verdict, outcome: "alone" } : verdict;
}

/** An old color that is bad at other times too shows no outage: it may lack a tool that the new version has. */
export function isAlwaysBad({ old, objective }: Comparison, span: Span, setAside: readonly Span[]): boolean {
  const others = old.filter((call) => ![span, ...setAside].some((out) => overlaps(call, out)));
  const otherwise = sumOf(others);
  const isBad = otherwise.calls > 0 && exceedsLimit(objective.limit)(otherwise, CONTROL_ALPHA);
  const seconds = ((old.at(-1)?.until ?? 0) - (old[0]?.since ?? 0)) / 1000;
  return isBad || (seconds > WITHOUT_A_GOOD_CALL && !old.some(({ bad }) => bad === 0));
}

/** A bake may begin in an outage. Seconds. */
const WITHOUT_A_GOOD_CALL = 15;

/** Probability that one look at the old color is mistaken. */
const CONTROL_ALPHA = 0.05;

function sumOf(increments: readonly Increment[]): Counts {
  let calls = 0;
  let bad = 0;
  for (const increment of increments) {
    calls += increment.calls;
    bad += increment.bad;
  }
  return { calls, bad };
}
