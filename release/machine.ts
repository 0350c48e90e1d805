import type { Color } from "./color.ts";
import type { ReleaseRecord } from "./record.ts";
import { readyPods, type Snapshot } from "./target.ts";

/** The one thing to do next. Every action can be done again: whoever resumes may repeat one that had already happened. */
export type Action =
  | { readonly do: "nothing" }
  | { readonly do: "stage"; readonly color: Color; readonly image: string }
  | { readonly do: "verify" }
  /** Pin both colors at `pods` and wait until `color` has `ready` of them. */
  | { readonly do: "match"; readonly color: Color; readonly pods: number; readonly ready: number }
  | { readonly do: "move"; readonly from: Color; readonly to: Color }
  | { readonly do: "bake" }
  /** Give both colors back to the environment's minimum. */
  | { readonly do: "unpin" }
  /** The target and the record disagree, since somebody else moved the traffic: follow the traffic. */
  | { readonly do: "correct"; readonly release: ReleaseRecord };

/** What came of an action that can come out in more than one way; all others just happen. */
export interface Result {
  readonly outcome: "pass" | "fail" | "hold";
  readonly reason: string;
}

/**
 * What to do next, from nothing but what the target reports.
 *
 * A release can be killed between any two of its steps, and a step's effect may or may not have happened by then, so this never
 * asks what was done, only what is.
 */
export function next(snapshot: Snapshot): Action {
  const { live, colors, release } = snapshot;
  if (release === undefined || release.phase === "ended") return { do: "nothing" };
  const { from, to } = release;

  switch (release.phase) {
    case "stage":
      if (live !== from) return movedByOthers(release);
      return { do: "stage", color: to, image: release.image };
    case "verify":
      if (live !== from) return movedByOthers(release);
      if (colors[to].image !== release.image) return stagedByOthers(snapshot, release);
      // The gates are asked at the capacity that the color will carry.
      if (unmatched(snapshot, release)) return match(to, carrying(snapshot, from));
      return { do: "verify" };
    case "promote":
      if (live === to) return { do: "correct", release: { ...release, phase: "bake" } };
      if (colors[to].image !== release.image) return stagedByOthers(snapshot, release);
      if (readyPods(snapshot, to) < carrying(snapshot, from) || unmatched(snapshot, release)) {
        return match(to, carrying(snapshot, from));
      }
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
      if (release.outcome === "rolled-back" && live === to) return movedByOthers(release);
      if (release.outcome === "released" && live === from) {
        return { do: "correct", release: { ...release, outcome: "rolled-back", reason: MOVED_BACK } };
      }
      return { do: "unpin" };
  }
}

/** Until retire the old color is warm and waiting would only prolong the harm; after it, it has to grow first. */
function rollback(snapshot: Snapshot, { from, to, capacity, retired }: ReleaseRecord): Action {
  const ready = retired ? carrying(snapshot, to) : 1;
  if (readyPods(snapshot, from) >= ready) return { do: "move", from: to, to: from };
  // The new color may have lost pods by now; that is no reason to give up what the old one is pinned at.
  return match(from, Math.max(carrying(snapshot, to), capacity ?? 1), ready);
}

/** Where the release stands once an action has happened. `hold` stays where it is. */
export function after(release: ReleaseRecord, action: Action, result: Result): ReleaseRecord {
  switch (action.do) {
    case "nothing":
      return release;
    case "correct":
      return action.release;
    case "stage":
      return { ...release, phase: "verify" };
    case "match":
      // What could not grow in time is for the gates to judge; they say why.
      return result.outcome === "pass" || release.phase === "rollback"
        ? { ...release, capacity: action.pods }
        : { ...release, capacity: action.pods, phase: "verify" };
    case "verify":
      if (result.outcome === "hold") return { ...release, reason: result.reason };
      return result.outcome === "pass"
        ? { ...release, phase: "promote", reason: undefined }
        : { ...release, phase: "retire", outcome: "refused", reason: result.reason };
    case "move":
      return release.phase === "rollback"
        ? { ...release, phase: "retire", outcome: "rolled-back" }
        : { ...release, phase: "bake" };
    case "bake":
      if (result.outcome === "hold") return { ...release, reason: result.reason };
      return result.outcome === "pass"
        ? { ...release, phase: "retire", outcome: "released", reason: undefined }
        : { ...release, phase: "rollback", reason: result.reason };
    case "unpin":
      return { ...release, phase: "ended", retired: true, capacity: undefined };
  }
}

/** The pods that carry the traffic now; a color that takes it over has at least one. */
function carrying(snapshot: Snapshot, color: Color): number {
  return Math.max(1, readyPods(snapshot, color));
}

/** Capacity is matched once for a release, and again when the live color has grown since. */
function unmatched({ colors }: Snapshot, release: ReleaseRecord): boolean {
  const { capacity, from, to } = release;
  return capacity === undefined || [from, to].some((color) => (colors[color].pinned ?? 0) < capacity);
}

function match(color: Color, pods: number, ready = pods): Action {
  return { do: "match", color, pods, ready };
}

const MOVED_BACK = "traffic was moved back by others";

function movedByOthers(release: ReleaseRecord): Action {
  const reason = `traffic moved from '${release.from}' to '${release.to}' before the gates had passed, by others`;
  return { do: "correct", release: { ...release, phase: "retire", outcome: "refused", reason } };
}

function stagedByOthers({ colors }: Snapshot, release: ReleaseRecord): Action {
  const reason = `'${release.to}' runs ${colors[release.to].image ?? "nothing"}, not ${release.image}: staged by others`;
  return { do: "correct", release: { ...release, phase: "retire", outcome: "refused", reason } };
}
