import type { Estimate } from "../statistics/excess-test.ts";

/** One kind of bad calls of a source, as the statistics know it by now. */
export interface BadCalls {
  readonly name: "failed" | "slow";
  readonly estimate: Estimate;
}

/** Such as `live: 1,240 calls, 3 failed (0.05 to 0.7 %, limit 0.5 %), 0 slow (0 to 0.6 %, limit 5 %)`. */
export function callsInWords(source: string, kinds: readonly BadCalls[]): string {
  const calls = kinds[0]?.estimate.counts.calls ?? 0;
  const bad = kinds.map(({ name, estimate }) => `${count(estimate.counts.bad)} ${name} (${intervalInWords(estimate)})`);
  return `${source}: ${count(calls)} ${calls === 1 ? "call" : "calls"}, ${bad.join(", ")}`;
}

/** Where the true share is, as far as the calls tell. */
export function intervalInWords({ lower, upper, limit }: Pick<Estimate, "lower" | "upper" | "limit">): string {
  return `${twoDigits(lower)} to ${twoDigits(upper)} %, limit ${twoDigits(limit)} %`;
}

export const count = (calls: number): string => calls.toLocaleString("en");

export const percent = (share: number): string => `${twoDigits(share)} %`;

const twoDigits = (share: number): string => String(Number((100 * share).toPrecision(2)));
