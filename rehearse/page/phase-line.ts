import type { Phase } from "../../release/record.ts";

/** The phases of a release that passes, in their order. */
export const LINE = ["stage", "verify", "promote", "bake", "retire"] as const satisfies readonly Phase[];

export type Step = (typeof LINE)[number];

/** `stopped`: the release left the line here, because it was aborted or rolled back. */
export type StepState = "to come" | "now" | "been" | "stopped";

export interface PhaseLine {
  readonly steps: Readonly<Record<Step, StepState>>;
  readonly rollback: {
    readonly state: "not taken" | "now" | "been";
    /** The phase that it branches off. */
    readonly from: Step;
  };
}

export interface PhasesOfRelease {
  /** Phases in which the release was seen, the last one being where it is. */
  readonly phases: readonly Phase[];
  readonly result?: string;
}

/**
 * Where a release is on its way. A page that was opened late has not seen the first phases, and shows them as passed.
 *
 * Every release ends with `retire`, which removes the replica overrides. It is a step of the line only if the release
 * came there from its bake.
 */
export function phaseLine({ phases, result }: PhasesOfRelease): PhaseLine {
  const branch = phases.indexOf("rollback");
  const rolledBack = branch >= 0 || result === "rolled-back";
  const seen = LINE.filter((phase) => phases.slice(0, branch >= 0 ? branch : undefined).includes(phase));
  const onlyTidied = seen.length > 1 && !seen.includes("bake");
  const stopped = rolledBack || result === "aborted" || (onlyTidied && seen.includes("retire"));
  const passed = stopped && branch < 0 ? seen.filter((phase) => phase !== "retire") : seen;
  const reached = result === "released" ? "retire" : (passed.at(-1) ?? (rolledBack ? "bake" : undefined));

  const at = reached === undefined ? -1 : LINE.indexOf(reached);
  const here = stopped ? "stopped" : result === undefined ? "now" : "been";
  return {
    steps: Object.fromEntries(
      LINE.map((phase, index): [Step, StepState] => [phase, index === at ? here : index < at ? "been" : "to come"]),
    ) as Record<Step, StepState>,
    rollback: {
      state: !rolledBack ? "not taken" : result === undefined ? "now" : "been",
      from: (rolledBack ? reached : undefined) ?? "bake",
    },
  };
}
