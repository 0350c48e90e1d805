import type { BreakerState } from "../../record/recording.ts";
import type { PageState } from "../state.ts";
import { createCheckList, type Check } from "./check-list.ts";
import { part } from "./dom.ts";

const BREAKERS: Readonly<Record<BreakerState, Check>> = {
  closed: { outcome: "pass", evidence: "closed: calls go to the weather API" },
  "half-open": { outcome: "inconclusive", evidence: "half-open: one call tries whether it is back" },
  open: { outcome: "fail", evidence: "open: the weather API is left alone" },
};

/** The breakers around the weather API, and what callers get meanwhile. */
export function createDependency(): (state: PageState) => void {
  const breakers = createCheckList(part("breakers"));
  const answers = createCheckList(part("answers"));
  return ({ breakers: states, recent }) => {
    for (const [index, state] of states.entries()) breakers(`pod ${index + 1}`, BREAKERS[state]);
    const seconds = recent.reduce((sum, sample) => sum + sample.seconds, 0);
    const rate = (source: "live" | "cached" | "static") =>
      seconds === 0 ? 0 : recent.reduce((sum, { sources }) => sum + (sources[source] ?? 0), 0) / seconds;
    const failing = recent.reduce((sum, { failures }) => sum + failures, 0);
    answers("live", lit(rate("live"), "pass", "asked just now"));
    answers("cached", lit(rate("cached"), "inconclusive", "the last good answer, and it says so"));
    answers("static", lit(rate("static"), "fail", "no measurement at all"));
    answers(
      "failed",
      failing > 0 ? { outcome: "fail", evidence: String(failing) } : { outcome: "pass", evidence: "none" },
    );
  };
}

const lit = (rate: number, outcome: "pass" | "inconclusive" | "fail", meaning: string): Check =>
  rate > 0 ? { outcome, evidence: `${Math.round(rate)}/s · ${meaning}` } : { evidence: "0/s" };
