import type { Environment } from "../../environment/environment.ts";
import type { Color } from "../../environment/color.ts";
import type { PodWatch } from "../measure/pod-watch.ts";
import type { LiveWindow } from "../measure/window.ts";
import type { Clock } from "../ports/clock.ts";
import type { Target } from "../ports/target.ts";
import type { Snapshot } from "../snapshot.ts";

/** `inconclusive`: the gate could not check, or had too little data. It never counts as a pass. */
export type Outcome = "pass" | "fail" | "inconclusive";

export interface Verdict {
  readonly outcome: Outcome;
  /** The reason with its numbers, in one line. */
  readonly evidence: string;
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
  readonly signal: AbortSignal;
  readonly clock: Clock;
  /** How many ready pods the color must have: as many as carried the traffic when its capacity was put in place. */
  readonly needed: number;
  /** During a bake: what it has seen of the color's pods. */
  readonly watch?: PodWatch;
  /** During a bake: the live calls since the last check. */
  readonly window?: LiveWindow;
}

/** A check of a color, before traffic moves, after it, or both. A new gate is a new file and a line in the list. */
export interface Gate {
  readonly name: string;
  readonly phases: readonly ("verify" | "bake")[];
  check(context: GateContext): Promise<Verdict>;
}
