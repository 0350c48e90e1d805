import type { Color } from "../environment/color.ts";
import type { Stage } from "./ports/staging.ts";
import type { ReleaseRecord } from "./record.ts";
import { carrying, readyPods, type Snapshot } from "./snapshot.ts";

/** The one thing to do next. Every action may be repeated: a resumed release may do one that has already happened. */
export type Action =
  | { readonly do: "nothing" }
  /** Create the run of the migration, which does not start before that is recorded. */
  | ({ readonly do: "create-migration" } & Stage)
  | ({ readonly do: "migrate" } & Stage)
  | ({ readonly do: "stage" } & Stage)
  | { readonly do: "verify" }
  | ScaleUp
  | { readonly do: "move"; readonly from: Color; readonly to: Color }
  | { readonly do: "bake" }
  /** Restore the environment's minimum on both colors. */
  | { readonly do: "remove-holds" }
  /** The target and the record disagree, because others moved the traffic: follow the traffic. */
  | { readonly do: "correct"; readonly release: ReleaseRecord }
  /** Only a person can decide. */
  | { readonly do: "pause"; readonly reason: string };

/** Hold both colors at `pods` and wait until `color` has `ready` of them. */
export interface ScaleUp {
  readonly do: "scale-up";
  readonly color: Color;
  readonly pods: number;
  readonly ready: number;
  /** When the time is over, so many ready pods are enough. @default `ready` */
  readonly atLeast?: number;
  /** After a stage: the image that the color has, as the target reports it. */
  readonly image?: string;
}

/** The outcome of an action. Only `migrate`, `scale-up`, `verify` and `bake` have more than one. */
export interface Result {
  readonly outcome: "pass" | "fail" | "inconclusive";
  readonly reason: string;
}

/**
 * What to do next, from nothing but the target's state.
 *
 * A release can be killed between any two of its steps, and a step's effect may or may not have happened by then. So this
 * function does not depend on what was done, only on what is there.
 */
export function next(snapshot: Snapshot): Action {
  const { live, release } = snapshot;
  if (release === undefined || release.phase === "ended") return { do: "nothing" };
  const { from, to } = release;

  switch (release.phase) {
    case "stage":
      if (live !== from) return movedByOthers(release);
      return { do: stepOfStage(release), color: to, image: release.image, mark: release.mark };
    case "verify":
      if (live !== from) return movedByOthers(release);
      if (!isStaged(snapshot, release)) return stagedByOthers(snapshot, release);
      // The gates check the color at the capacity that it will have under traffic.
      if (lacksCapacity(snapshot, release)) {
        return { ...scaleUp(to, carrying(snapshot, from)), image: snapshot.colors[to].image };
      }
      return { do: "verify" };
    case "promote":
      if (live === to) return { do: "correct", release: { ...release, phase: "bake" } };
      if (!isStaged(snapshot, release)) return stagedByOthers(snapshot, release);
      if (lacksCapacity(snapshot, release)) return scaleUp(to, carrying(snapshot, from));
      return { do: "move", from, to };
    case "bake":
      if (live === from) {
        return { do: "correct", release: { ...release, phase: "rollback", reason: MOVED_BACK } };
      }
      return { do: "bake" };
    case "rollback":
      if (live === from) return { do: "correct", release: { ...release, phase: "retire", outcome: "rolled-back" } };
      return rollback(snapshot, release);
    case "retire":
      if (release.outcome === "rolled-back" && live === to) return movedByOthers(release, "after the rollback");
      if (release.outcome === "released" && live === from) {
        return { do: "correct", release: { ...release, outcome: "rolled-back", reason: MOVED_BACK } };
      }
      return { do: "remove-holds" };
  }
}

/**
 * Moves back once the old color has as many ready pods as carry the traffic now. Until retire it was kept so, and any
 * ready pod is better than a version that fails: what is missing then is waited for once, and not for long.
 */
function rollback(snapshot: Snapshot, release: ReleaseRecord): Action {
  const { from, to, capacity, retired, waited } = release;
  const changed = changedStandby(snapshot, release);
  if (changed !== undefined) return { do: "pause", reason: changed };
  const pods = Math.min(carrying(snapshot, to), snapshot.colors[from].maximum ?? Infinity);
  if (readyPods(snapshot, from) >= (waited && !retired ? 1 : pods)) return { do: "move", from: to, to: from };
  const action = scaleUp(from, Math.max(pods, capacity ?? 1), pods);
  return retired ? action : { ...action, atLeast: 1 };
}

/**
 * Why a rollback would not return to the version from before the release, if it would not. Both versions are named.
 *
 * Both were read from the target, after admission. The image alone differs after `kubectl set image`, which keeps the mark.
 */
export function changedStandby({ colors }: Snapshot, { from, previous }: ReleaseRecord): string | undefined {
  const { image, mark } = colors[from];
  if (previous === undefined) return undefined;
  if (previous.mark === mark && previous.image === image) return undefined;
  return (
    `${from} no longer runs ${named(previous)}, which was live before the release, but ${named({ image, mark })}; ` +
    "to roll back to that nevertheless: release rollback --to-changed-standby"
  );
}

const named = ({ image = "nothing", mark }: { readonly image?: string; readonly mark?: string }) =>
  mark === undefined ? image : `${image} (stage ${mark})`;

/** The release's phase after an action. An inconclusive one stays where it is. */
export function after(release: ReleaseRecord, action: Action, result: Result): ReleaseRecord {
  switch (action.do) {
    case "nothing":
    case "pause":
      return release;
    case "correct":
      return action.release;
    case "create-migration":
      return { ...release, migration: "created" };
    case "migrate":
      if (result.outcome === "pass") return { ...release, migration: "done" };
      return { ...release, phase: "retire", outcome: "aborted", reason: result.reason };
    case "stage":
      return { ...release, phase: "verify" };
    case "scale-up": {
      const scaled = { ...release, capacity: action.pods, accepted: release.accepted ?? action.image };
      // A rollback cannot give up; without a single pod it waits for a person.
      if (release.phase === "rollback") {
        return result.outcome === "pass" ? { ...scaled, waited: true } : { ...scaled, reason: result.reason };
      }
      if (result.outcome === "pass") return scaled;
      return { ...scaled, phase: "retire", outcome: "aborted", reason: result.reason };
    }
    case "verify":
      if (result.outcome === "inconclusive") return { ...release, reason: result.reason };
      return result.outcome === "pass"
        ? { ...release, phase: "promote", reason: undefined }
        : { ...release, phase: "retire", outcome: "aborted", reason: result.reason };
    case "move":
      return release.phase === "rollback"
        ? { ...release, phase: "retire", outcome: "rolled-back" }
        : { ...release, phase: "bake" };
    case "bake":
      if (result.outcome === "inconclusive") return { ...release, reason: result.reason };
      return result.outcome === "pass"
        ? { ...release, phase: "retire", outcome: "released", reason: undefined }
        : { ...release, phase: "rollback", reason: result.reason };
    case "remove-holds":
      return { ...release, phase: "ended", retired: true, capacity: undefined, waited: undefined };
  }
}

/** The schema is changed before the version that needs it starts. Both colors then run on it. */
function stepOfStage({ migration }: ReleaseRecord): "create-migration" | "migrate" | "stage" {
  if (migration === "due") return "create-migration";
  return migration === "created" ? "migrate" : "stage";
}

/** The capacity is put in place once for a release, and again when a deploy has lowered a minimum since. */
function lacksHold({ colors }: Snapshot, release: ReleaseRecord): boolean {
  const { capacity, from, to } = release;
  if (capacity === undefined) return true;
  return [from, to].some((color) => colors[color].minimum < Math.min(capacity, colors[color].maximum ?? Infinity));
}

/** Both colors are held, and the new one has as many ready pods as carry the traffic now. */
function lacksCapacity(snapshot: Snapshot, release: ReleaseRecord): boolean {
  return lacksHold(snapshot, release) || readyPods(snapshot, release.to) < carrying(snapshot, release.from);
}

function scaleUp(color: Color, pods: number, ready = pods): ScaleUp {
  return { do: "scale-up", color, pods, ready };
}

/** Still what this release staged. `kubectl set image` keeps the mark. */
function isStaged({ colors }: Snapshot, { to, mark, accepted }: ReleaseRecord): boolean {
  return colors[to].mark === mark && (accepted === undefined || colors[to].image === accepted);
}

const MOVED_BACK = "others moved the traffic back";

function movedByOthers(release: ReleaseRecord, when = "before the gates had passed"): Action {
  const reason = `others moved the traffic from '${release.from}' to '${release.to}' ${when}`;
  return { do: "correct", release: { ...release, phase: "retire", outcome: "aborted", reason } };
}

function stagedByOthers({ colors }: Snapshot, release: ReleaseRecord): Action {
  const { mark, image } = colors[release.to];
  const staged = named({ image: release.accepted ?? release.image, mark: release.mark });
  const reason = `'${release.to}' runs ${named({ image, mark })}, which others staged after this release: it staged ${staged}`;
  return { do: "correct", release: { ...release, phase: "retire", outcome: "aborted", reason } };
}
