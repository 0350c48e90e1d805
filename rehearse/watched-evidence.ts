import type { Environment } from "../environment/environment.ts";
import { objectives } from "../release/bake/objectives.ts";
import type { ReleaseEvent } from "../release/events.ts";
import { slowCalls, undecidedCalls, type CallHistogram } from "../release/measure/histogram.ts";
import { ExcessTest } from "../release/statistics/excess-test.ts";

/** Live and synthetic calls, failed and slow ones: a bake gives each of the four tests the same part of its α. */
const TESTS = 4;

/**
 * The evidence of a bake that another process runs, from the calls that pods count while somebody watches.
 *
 * It has the limits and intervals of the bake's own tests, but not the same calls: the engine's synthetic calls are among
 * them, calls from before the page was opened are not, and the ones that the engine sets aside stay in. It decides nothing.
 */
export class WatchedEvidence {
  readonly #maxP95Ms: number;
  readonly #tests: readonly { readonly name: "failed" | "slow"; readonly test: ExcessTest }[];

  constructor({ release: { bake } }: Environment) {
    this.#maxP95Ms = bake.maxP95Ms;
    this.#tests = objectives(bake).map(({ name, limit }) => {
      return { name, test: new ExcessTest({ limit, alpha: bake.alpha / TESTS }) };
    });
  }

  /** Takes in the calls of the new color between two times, and says what all of them amount to. */
  add(during: CallHistogram, since: number, until: number): Extract<ReleaseEvent, { type: "evidence" }>[] {
    const objectiveSeconds = this.#maxP95Ms / 1000;
    const calls = during.calls - undecidedCalls(during, objectiveSeconds);
    const bad = { failed: during.errors, slow: Math.min(calls, slowCalls(during, objectiveSeconds)) };
    return this.#tests.map(({ name, test }) => {
      test.add({ calls, bad: bad[name], since, until });
      const { counts, lower, upper, limit } = test.estimate;
      return { type: "evidence", source: "live", objective: name, ...counts, lower, upper, limit };
    });
  }
}
