import type { ReleaseResult } from "../../release/events.ts";
import type { Outcome } from "../../release/gates/gate.ts";
import type { Billing } from "./recording.ts";
import type { Switch } from "./switch.ts";
import type { Calls } from "./tally.ts";

/** What a gate said last in a phase, and how often it was asked. */
export interface GateResult {
  readonly gate: string;
  readonly phase: "verify" | "bake";
  readonly outcome: Outcome;
  readonly evidence: string;
  readonly looks: number;
  /** How long all looks took, in seconds. */
  readonly seconds: number;
}

/** What the release command of an act said and did. */
export interface ReleaseRun {
  readonly version: string;
  readonly exitCode: number;
  readonly result: ReleaseResult["result"] | "none";
  readonly reason: string;
  readonly gates: readonly GateResult[];
  readonly seconds: number;
}

export interface ActResult extends Billing, Calls {
  readonly ok: boolean;
  /** What was not as it must be, a sentence each; empty when the act went as it must. */
  readonly problems: readonly string[];
  /** How it ended, in a few words. */
  readonly outcome: string;
  readonly seconds: number;
  readonly release?: ReleaseRun;
  readonly switches: readonly Switch[];
}

/** A scenario that does not apply to the server that is rehearsed. */
export interface Skipped {
  readonly number: number;
  readonly title: string;
  /** Why, in one line. */
  readonly reason: string;
}

/** What `--json` writes; docs/rehearse.md describes each field. */
export interface RehearsalResult {
  readonly ok: boolean;
  readonly problems: readonly string[];
  readonly quick: boolean;
  readonly startedAt: string;
  /** From the command to the end, building the bundles included. */
  readonly seconds: number;
  readonly machine: Machine;
  readonly totals: Calls;
  readonly acts: readonly ActResult[];
  readonly skipped: readonly Skipped[];
}

export interface Machine {
  readonly node: string;
  readonly platform: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
}
