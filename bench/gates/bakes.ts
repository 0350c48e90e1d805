import { PART_OF_ALPHA } from "../../release/bake/calls-under-test.ts";
import { ExcessTest } from "../../release/statistics/excess-test.ts";
import type { Counts } from "../../release/statistics/counts.ts";
import { FixedWindow } from "./fixed-window.ts";
import { binomial } from "./random.ts";

/** Of all calls, the share that fails. */
export const FAILED_LIMIT = 0.005;

/** Of all calls, the share that takes longer than the latency objective: p95 is at the objective. */
export const SLOW_LIMIT = 0.05;

/** Calls per second: the rate at which a fixed window of a minute and a bake of 20,000 calls are compared. */
export const RATE = 14;

/** A measurement a minute, and the default of the examples in Argo Rollouts' documentation. */
export const INTERVAL_SECONDS = 60;
export const FAILURE_LIMIT = 3;

/** Calls with the same true shares. */
export interface Stretch {
  readonly calls: number;
  /** The true shares, as multiples of their limits. */
  readonly failed: number;
  readonly slow: number;
}

/** The calls after which a bake was rolled back; none if it was not. */
export interface RolledBack {
  readonly sequential: number | undefined;
  readonly fixedWindow: number | undefined;
}

/** A rule for both objectives. */
interface Rule {
  readonly exceeded: boolean;
  add(counts: Counts, slow: number): void;
}

/** Bakes one version, whose shares change from one stretch to the next, until both rules have rolled it back or it ends. */
export function bake(stretches: readonly Stretch[], callsPerCheck: number, uniform: () => number): RolledBack {
  const rules = { sequential: sequentialRule(), fixedWindow: fixedWindowRule() };
  const after: { sequential?: number; fixedWindow?: number } = {};
  let calls = 0;
  for (const stretch of stretches) {
    const failedShare = stretch.failed * FAILED_LIMIT;
    const failing = binomial(callsPerCheck, failedShare, uniform);
    // A call is failed, or slow, or neither.
    const slowing = binomial(callsPerCheck, (stretch.slow * SLOW_LIMIT) / (1 - failedShare), uniform);
    for (const end = calls + stretch.calls; calls < end;) {
      calls += callsPerCheck;
      const failed = failing(callsPerCheck);
      const slow = slowing(callsPerCheck - failed);
      for (const name of ["sequential", "fixedWindow"] as const) {
        if (after[name] !== undefined) continue;
        rules[name].add({ calls: callsPerCheck, bad: failed }, slow);
        if (rules[name].exceeded) after[name] = calls;
      }
      if (after.sequential !== undefined && after.fixedWindow !== undefined) break;
    }
  }
  return { sequential: after.sequential, fixedWindow: after.fixedWindow };
}

/** What the engine's test of one objective spends of an α of 1 %. */
export const alphaOf = (source: "live" | "synthetic") => (PART_OF_ALPHA[source] * 0.01) / 2;

/** The engine's rule for live calls, with its own modules. */
function sequentialRule(): Rule {
  const alpha = alphaOf("live");
  const failing = new ExcessTest({ limit: FAILED_LIMIT, alpha });
  const slowing = new ExcessTest({ limit: SLOW_LIMIT, alpha });
  let time = 0;
  return {
    get exceeded() {
      return failing.exceeded !== undefined || slowing.exceeded !== undefined;
    },
    add({ calls, bad }, slow) {
      const span = { since: time, until: ++time };
      failing.add({ calls, bad, ...span });
      slowing.add({ calls, bad: slow, ...span });
    },
  };
}

function fixedWindowRule(): Rule {
  const failing = new FixedWindow(FAILED_LIMIT, RATE * INTERVAL_SECONDS, FAILURE_LIMIT);
  const slowing = new FixedWindow(SLOW_LIMIT, RATE * INTERVAL_SECONDS, FAILURE_LIMIT);
  return {
    get exceeded() {
      return failing.exceeded || slowing.exceeded;
    },
    add({ calls, bad }, slow) {
      failing.add({ calls, bad });
      slowing.add({ calls, bad: slow });
    },
  };
}
