import type { Color } from "./color.ts";
import type { Outcome } from "./gates/gate.ts";
import type { Phase } from "./record.ts";

/**
 * What a release says while it happens. The CLI prints it for people, and with `--json` one object a line, the last of them
 * a `result`.
 */
export type ReleaseEvent =
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
  /** Traffic moved; `seconds` is how long the one change took, from sent to confirmed. */
  | { readonly type: "traffic"; readonly from: Color; readonly to: Color; readonly seconds: number }
  | { readonly type: "progress"; readonly message: string }
  | ({ readonly type: "result" } & ReleaseResult);

export interface ReleaseResult {
  readonly result: "done" | "refused" | "usage" | "rolled-back" | "held" | "interrupted";
  readonly reason: string;
}

/** An event and when it happened, ISO 8601 with milliseconds. */
export type Stamped<E> = E & { readonly at: string };

export type Listener = (event: ReleaseEvent) => void;
