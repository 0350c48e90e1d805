import type { Environment } from "../../environment/environment.ts";
import { EnoughCalls } from "../statistics/enough-calls.ts";

/** "The p95 is at most the objective" means that at most this share of the calls is slower. */
const SLOW_LIMIT = 0.05;

export interface Objective {
  readonly name: "failed" | "slow";
  /** Share of bad calls, 0 to 1. */
  readonly limit: number;
  readonly enough: EnoughCalls;
}

type Limits = Pick<Environment["release"]["bake"], "maxErrorRatio" | "detect" | "alpha">;

/** What calls are held to: two shares of bad calls, of which a call can add to none, one or both. */
export const objectives = (limits: Limits): readonly Objective[] => [
  objectiveOf("failed", limits.maxErrorRatio, limits),
  objectiveOf("slow", SLOW_LIMIT, limits),
];

export const objectiveOf = (
  name: Objective["name"],
  limit: number,
  { detect, alpha }: Omit<Limits, "maxErrorRatio">,
) => ({
  name,
  limit,
  enough: new EnoughCalls({ limit, detect, alpha }),
});

/** Calls that are enough for every objective, in words. */
export function callsNeededInWords(all: readonly Objective[]): string {
  const needed = all.map(({ enough }) => enough.callsNeeded());
  const most = (of: "none" | "half" | "atLimit") => Math.max(...needed.map((calls) => calls[of])).toLocaleString("en");
  return `${most("none")} calls if none is bad, about ${most("half")} at half the limit, ${most("atLimit")} at the limit`;
}
