import { Displaced } from "./errors.ts";
import type { ReleaseResult } from "./events.ts";
import { PHASES, type Phase, type ReleaseRecord } from "./record.ts";

/** Whether a command that runs until this phase has done its part. */
export function reached({ phase, outcome }: ReleaseRecord, until: Phase): boolean {
  // A rollback, and the retire after one or after an abort, is always finished: no half of it waits for another command.
  if (phase === "rollback" || (phase === "retire" && outcome !== "released")) return false;
  return PHASES.indexOf(phase) >= PHASES.indexOf(until);
}

/** A command for one phase has done its part: where the release is, and what comes next. */
export function done(release: ReleaseRecord): ReleaseResult {
  return { result: "done", reason: NEXT[release.phase](release) };
}

const NEXT: Record<Phase, (release: ReleaseRecord) => string> = {
  stage: ({ to }) => `nothing is staged on ${to} yet; next: release stage`,
  verify: ({ version, to }) => `${version} is staged on ${to}; next: release verify`,
  promote: ({ version, to }) => `${version} on ${to} passed its gates; next: release promote`,
  bake: ({ version, to, from }) => `${to} is live with ${version}, ${from} is ready for a rollback; next: release bake`,
  retire: ({ version, from }) => `${version} passed its bake; next: release retire, which lets ${from} scale down`,
  rollback: ({ from }) => `the traffic is moving back to ${from}; next: release rollback`,
  ended: () => "no release is in progress",
};

/** Nothing is left to do. */
export function ended(release: ReleaseRecord | undefined): ReleaseResult {
  if (release === undefined) return { result: "done", reason: "there is no release" };
  const { outcome, version, from, to, reason } = release;
  switch (outcome) {
    case "released":
      return { result: "released", reason: `${version} is live on ${to}` };
    case "aborted":
      return { result: "aborted", reason: reason ?? `${version} was aborted` };
    case "rolled-back":
      return { result: "rolled-back", reason: `${from} is live again: ${reason ?? "rolled back"}` };
    case undefined:
      return { result: "aborted", reason: reason ?? "given up" };
  }
}

/** Nothing was decided, and a person or a later command goes on. */
export function paused(newIsLive: boolean, reason: string): ReleaseResult {
  return { result: newIsLive ? "paused-new-live" : "paused-old-live", reason };
}

/** Why the signal of a release aborted: the user, or another holder of the lease. */
export function interrupted(newIsLive: boolean, reason: unknown): ReleaseResult {
  if (reason instanceof Displaced) return { result: "lease-held", reason: reason.message };
  const why = reason instanceof Error ? reason.message : "interrupted";
  return paused(newIsLive, `${why}; go on with 'release run', or go back with 'release rollback'`);
}
