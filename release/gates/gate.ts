import type { Environment } from "../../environments/environment.ts";
import type { Color } from "../color.ts";
import type { LiveWindow } from "../measure/window.ts";
import type { Snapshot, Target } from "../target.ts";

/** `hold` is neither: the gate could not look, or saw too little. It never counts as a pass. */
export type Outcome = "pass" | "fail" | "hold";

export interface Verdict {
  readonly outcome: Outcome;
  /** What was seen, with its numbers, in one line. */
  readonly evidence: string;
}

export interface GateContext {
  readonly target: Target;
  readonly environment: Environment;
  /** What the target said just now. */
  readonly snapshot: Snapshot;
  /** The color under test: idle before promote, live after it. */
  readonly color: Color;
  /** The version that the color is to run. */
  readonly version: string;
  readonly signal: AbortSignal;
  /** While the color bakes: what its live traffic did since the last look. */
  readonly window?: LiveWindow;
}

/** One question about a color, asked before traffic moves, after it, or both. A new gate is a new file and a line in the list. */
export interface Gate {
  readonly name: string;
  readonly phases: readonly ("verify" | "bake")[];
  check(context: GateContext): Promise<Verdict>;
}
