import type { Color } from "../environment/color.ts";
import type { Environment } from "../environment/environment.ts";
import { UsageError } from "./errors.ts";
import type { ResultKind } from "./events.ts";
import { EXIT_CODES } from "./exit-codes.ts";
import type { Gate } from "./gates/gate.ts";
import { GATES } from "./gates/index.ts";
import type { PendingChange } from "./ports/staging.ts";
import type { Target } from "./ports/target.ts";
import type { Phase, ReleaseRecord } from "./record.ts";
import { courseOf, type Command, type Course } from "./run-release.ts";
import { carrying, observe, readyIn, type Snapshot } from "./snapshot.ts";
import { systemClock } from "./system-clock.ts";

export interface DryRunOptions {
  readonly target: Target;
  readonly environment: Environment;
  readonly command: Command;
  /** Whether the command would take the lease from another holder. @default false */
  readonly takeOver?: boolean;
  /** @default GATES */
  readonly gates?: readonly Gate[];
  readonly signal?: AbortSignal;
}

/** What a command would do now. Its JSON is public. */
export interface DryRun {
  readonly type: "dry-run";
  readonly command: Command["do"];
  readonly environment: string;
  readonly target: readonly string[];
  readonly live: Color;
  readonly colors: Readonly<
    Record<Color, { readonly image?: string; readonly ready: number; readonly desired: number }>
  >;
  /** Who holds the lease; none if it is free. */
  readonly holder?: string;
  /** The release that the command would begin or continue; none if it is refused. */
  readonly release?: Pick<ReleaseRecord, "version" | "image" | "from" | "to" | "phase">;
  /** In their order. The command may end earlier, for instance because a gate fails. */
  readonly steps: readonly Step[];
  /** The changes of settings that its stage would apply. */
  readonly pending: readonly PendingChange[];
  /** `done` if the command would start. Otherwise the result that it would end with. */
  readonly result: ResultKind;
  readonly exitCode: number;
  readonly reason: string;
}

export interface Step {
  readonly phase: Phase;
  readonly what: string;
}

/**
 * Decides what a command would do with the target as it is now. It only reads: it takes no lease and changes nothing.
 *
 * A command that is refused, or that another holder of the lease keeps out, is a result and no error.
 *
 * @throws TargetUnreachable, TargetRefused
 */
export async function dryRun(options: DryRunOptions): Promise<DryRun> {
  const { target, environment, command, takeOver = false, gates = GATES, signal } = options;
  const [snapshot, holder] = await Promise.all([observe(target, signal), target.records.holder(signal)]);
  const { live, colors } = snapshot;
  const seen = {
    type: "dry-run" as const,
    command: command.do,
    environment: environment.name,
    target: target.description,
    live,
    colors: { blue: shown(colors.blue), green: shown(colors.green) },
    ...(holder !== undefined && { holder }),
  };
  const planned = release(snapshot, options);
  if (planned instanceof UsageError) return { ...seen, steps: [], pending: [], ...ended("usage", planned.message) };

  const steps = phasesOf(planned.release, planned.course, snapshot).map((phase) => ({
    phase,
    what: describe(phase, planned.release, { snapshot, environment, gates }),
  }));
  const stages = steps.some(({ phase }) => phase === "stage");
  const pending = stages ? await target.staging.pending(live, signal) : [];
  const { version, image, from, to, phase } = planned.release;
  const plan = { ...seen, release: { version, image, from, to, phase }, steps, pending };
  if (holder === undefined || takeOver) return { ...plan, ...ended("done", "the command would start") };
  const reason = `the lease is held by ${holder}: the command ends with ${EXIT_CODES["lease-held"]} unless that holder has died`;
  return { ...plan, ...ended("lease-held", reason) };
}

const ended = (result: ResultKind, reason: string) => ({ result, exitCode: EXIT_CODES[result], reason });

const shown = (color: Snapshot["colors"][Color]) => ({
  ...(color.image !== undefined && { image: color.image }),
  ready: readyIn(color),
  desired: color.desired,
});

/** The record that the command would go on from, or why it is refused. */
function release(
  snapshot: Snapshot,
  { target, command }: DryRunOptions,
): { release: ReleaseRecord; course: Course } | UsageError {
  const migrates = target.migrations !== undefined;
  const origin = { mark: "dry-run", startedAt: systemClock.date().toISOString(), migrates };
  const course = courseOf(command, origin, "this command");
  try {
    return { release: course.rule(snapshot), course };
  } catch (error) {
    if (error instanceof UsageError) return error;
    throw error;
  }
}

const FORWARD = ["stage", "verify", "promote", "bake", "retire"] as const satisfies readonly Phase[];

function phasesOf({ phase, to }: ReleaseRecord, { until }: Course, { live }: Snapshot): readonly Phase[] {
  if (phase === "ended") return [];
  if (phase === "rollback") return ["rollback", "retire"];
  // The traffic has moved already, and that was not yet recorded.
  const first = phase === "promote" && live === to ? "bake" : phase;
  const end = FORWARD.findIndex((forward) => forward === until);
  return FORWARD.slice(FORWARD.indexOf(first), end === -1 ? undefined : end);
}

interface Circumstances {
  readonly snapshot: Snapshot;
  readonly environment: Environment;
  readonly gates: readonly Gate[];
}

function describe(
  phase: Phase,
  { from, to, version, image, outcome, migration }: ReleaseRecord,
  { snapshot, environment, gates }: Circumstances,
): string {
  const { bake } = environment.release;
  switch (phase) {
    case "stage":
      return `${migration === undefined || migration === "done" ? "" : "run the migration, then "}put ${version}, ${image}, on ${to}`;
    case "verify":
      return `hold both colors at ${count(carrying(snapshot, from), "pod")}, as ${from} has now; gates: ${namesOf(gates, "verify")}`;
    case "promote":
      return `move the traffic from ${from} to ${to}`;
    case "bake":
      return `monitor ${to} for ${bake.durationSeconds} to ${2 * bake.durationSeconds} s, and move the traffic back to ${from} if it fails; gates: ${namesOf(gates, "bake")}`;
    case "rollback":
      return `move the traffic from ${to} back to ${from}`;
    case "retire":
      return outcome === "aborted"
        ? `abort the release of ${version}, and remove the replica overrides of both colors`
        : `remove the replica overrides of both colors`;
    case "ended":
      return "nothing";
  }
}

const namesOf = (gates: readonly Gate[], phase: "verify" | "bake") =>
  gates
    .filter(({ phases }) => phases.includes(phase))
    .map(({ name }) => name)
    .join(", ");

const count = (number: number, noun: string) => `${number} ${noun}${number === 1 ? "" : "s"}`;
