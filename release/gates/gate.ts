import type { Color } from "../../environment/color.ts";
import type { Environment } from "../../environment/environment.ts";
import type { Listener } from "../events.ts";
import type { Clock } from "../ports/clock.ts";
import type { Target } from "../ports/target.ts";
import type { Snapshot } from "../snapshot.ts";

/** `inconclusive`: the gate could not check, or had too little data. It never counts as a pass. */
export type Outcome = "pass" | "fail" | "inconclusive";

export interface Verdict {
  readonly outcome: Outcome;
  /** The reason with its numbers, in one line. An inconclusive one says what would decide. */
  readonly evidence: string;
  /** In a bake, a failure that needs no confirmation by further checks. @default false */
  readonly final?: boolean;
  /** In a bake, a pass that is not enough to retire yet. @default false */
  readonly needsMore?: boolean;
}

export interface GateContext {
  readonly target: Target;
  readonly environment: Environment;
  /** The target's state at the start of this check. */
  readonly snapshot: Snapshot;
  /** The color under test: idle before promote, live after it. */
  readonly color: Color;
  /** The version that the color must run. */
  readonly version: string;
  /** How many ready pods the color must have: as many as carried the traffic when its capacity was put in place. */
  readonly needed: number;
  /** Seconds that the bake goes on at least. @default 0 */
  readonly remainingSeconds?: number;
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly listener: Listener;
}

/** What a gate has to know for as long as a bake lasts. */
export type BakeContext = Omit<GateContext, "snapshot" | "needed" | "remainingSeconds">;

export interface Check {
  check(context: GateContext): Promise<Verdict>;
}

/** A check of a color, before traffic moves, after it, or both. A new gate is a new file and a line in the list. */
export interface Gate extends Check {
  readonly name: string;
  readonly phases: readonly ("verify" | "bake")[];

  /**
   * Begins the checks of one bake, for a gate that remembers what it has seen. `signal` of the context ends it.
   *
   * @default - each check is on its own
   */
  begin?(context: BakeContext): Check;
}
