import type { ReleaseEvent } from "../../release/events.ts";

type EvidenceEvent = Extract<ReleaseEvent, { type: "evidence" }>;

export type Objective = EvidenceEvent["objective"];

/** What a bake knew after one of its checks. Shares are 0 to 1. */
export interface EvidencePoint {
  readonly calls: number;
  readonly bad: number;
  readonly share: number;
  readonly lower: number;
  readonly upper: number;
}

/** One kind of bad calls of one source, over the checks of a bake. */
export interface EvidenceSeries {
  readonly source: EvidenceEvent["source"];
  readonly objective: Objective;
  readonly limit: number;
  /** In the order of their calls, without two of the same number. */
  readonly points: EvidencePoint[];
}

/** Where the true share is: above the limit, below it, or on both sides as far as the calls tell. */
export type Verdict = "above" | "below" | "undecided";

export function takeInEvidence(series: EvidenceSeries[], event: EvidenceEvent): void {
  const { source, objective, calls, bad, lower, upper, limit } = event;
  let one = series.find((other) => other.source === source && other.objective === objective);
  if (one === undefined) {
    one = { source, objective, limit, points: [] };
    series.push(one);
  }
  // Calls that the bake has set aside, for an outage that both colors share, no longer count.
  while ((one.points.at(-1)?.calls ?? -1) >= calls) one.points.pop();
  one.points.push({ calls, bad, share: calls === 0 ? 0 : bad / calls, lower, upper });
}

/**
 * What to show of an objective: the source whose share is above the limit, because it decides; otherwise live calls, and
 * synthetic ones where there are no live ones.
 *
 * @returns nothing before the first call
 */
export function shownEvidence(series: readonly EvidenceSeries[], objective: Objective): EvidenceSeries | undefined {
  const known = (["live", "synthetic"] as const).flatMap((source) =>
    series.filter((one) => one.source === source && one.objective === objective && (one.points.at(-1)?.calls ?? 0) > 0),
  );
  return known.find((one) => verdictOf(one) === "above") ?? known[0];
}

export function verdictOf({ points, limit }: EvidenceSeries): Verdict {
  const last = points.at(-1);
  if (last === undefined) return "undecided";
  return last.lower > limit ? "above" : last.upper < limit ? "below" : "undecided";
}

/**
 * Such as `live: 3 of 1,240 calls, true share 0.05 to 0.7 %`.
 *
 * @param watched the calls are all that pods count, live and synthetic ones
 */
export function evidenceInWords({ source, points }: EvidenceSeries, watched = false): string {
  const { calls = 0, bad = 0, lower = 0, upper = 1 } = points.at(-1) ?? {};
  const whose = watched ? "" : `${source}: `;
  const counts = `${bad.toLocaleString("en")} of ${calls.toLocaleString("en")} calls`;
  return `${whose}${counts}, true share ${number(lower)} to ${percent(upper)}`;
}

export const percent = (share: number): string => `${number(share)} %`;

/** Two digits, and nothing below a thousandth of a percent. */
const number = (share: number): string => String(Number(Number((100 * share).toPrecision(2)).toFixed(3)));
