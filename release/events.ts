import type { Color } from "../environment/color.ts";
import type { Outcome } from "./gates/gate.ts";
import type { Phase } from "./record.ts";

/**
 * What a release reports while it runs. The CLI prints it for people, and with `--json` one object a line, the last of
 * them a `result`.
 */
export type ReleaseEvent =
  /** What the release acts on and as whom, before it changes anything. */
  | { readonly type: "target"; readonly description: readonly string[] }
  | {
      readonly type: "phase";
      readonly phase: Phase;
      readonly from: Color;
      readonly to: Color;
      readonly version: string;
      readonly image: string;
    }
  | {
      readonly type: "gate";
      readonly gate: string;
      readonly phase: "verify" | "bake";
      readonly outcome: Outcome;
      readonly evidence: string;
      readonly seconds: number;
    }
  /** The traffic moved; `seconds` is the time from sending the change to its confirmation. */
  | { readonly type: "traffic"; readonly from: Color; readonly to: Color; readonly seconds: number }
  /** What a bake knows by now about one kind of bad calls: shares are 0 to 1, with an interval that holds the true one. */
  | {
      readonly type: "evidence";
      readonly source: "live" | "synthetic";
      readonly objective: "failed" | "slow";
      readonly calls: number;
      readonly bad: number;
      readonly lower: number;
      readonly upper: number;
      readonly limit: number;
    }
  | { readonly type: "progress"; readonly message: string }
  | ({ readonly type: "result" } & ReleaseResult);

/** How a command ended. Each has an exit code of its own: see exit-codes.ts. */
export type ResultKind =
  /** The command did its part of a release, or rolled back as requested. */
  | "done"
  /** The new version is live and has passed its bake. */
  | "released"
  /** A gate failed before promote. The old version is live. */
  | "aborted"
  /** The new version failed under live traffic. The old version is live again. */
  | "rolled-back"
  /** Nothing was decided. The release stays where it is, with the old version live. */
  | "paused-old-live"
  /** Nothing was decided. The new version is live, or may be: a move of the traffic got no answer. */
  | "paused-new-live"
  /** Only of a wait: a color did not get its pods ready in time. */
  | "not-ready"
  /** Another command holds the lease, or has taken it over. */
  | "lease-held"
  /** The target did not answer, or refused, before the command changed anything. */
  | "not-started"
  /** The command cannot be carried out as given. */
  | "usage"
  /** A fault in the engine itself. */
  | "crash";

export interface ReleaseResult {
  readonly result: ResultKind;
  readonly reason: string;
}

/** An event and when it happened, ISO 8601 with milliseconds. */
export type Stamped<E> = E & { readonly at: string };

export type Listener = (event: ReleaseEvent) => void;
