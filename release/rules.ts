import { other } from "../environment/color.ts";
import { UsageError } from "./errors.ts";
import { changedStandby } from "./machine.ts";
import type { ReleaseRecord } from "./record.ts";
import type { Snapshot } from "./snapshot.ts";

/** What to release. */
export interface Candidate {
  /** An image by digest, or on this machine the path of a bundle. */
  readonly image: string;
  /** The version that its pods must report. */
  readonly version: string;
}

/** What a new release has that no earlier one had. */
export interface Origin {
  readonly mark: string;
  /** ISO 8601. */
  readonly startedAt: string;
  /** Whether the version has to be migrated to before it is staged. @default false */
  readonly migrates?: boolean;
}

/**
 * Turns a command into the record to go on from; the same object if the command changes nothing about it.
 *
 * @throws UsageError if the command is not possible now; the message says which one is
 */
export type Rule = (snapshot: Snapshot) => ReleaseRecord;

/** A new release to the idle color. A release that has not moved traffic yet gives way to it. */
export function begin({ image, version }: Candidate, { mark, startedAt, migrates = false }: Origin): Rule {
  return (snapshot) => {
    const unfinished = unfinishedRelease(snapshot);
    if (unfinished !== undefined) {
      throw new UsageError(
        `${unfinished.version} is in phase '${unfinished.phase}' and has not ended; ` +
          "finish it with 'release run' (without --image) or undo it with 'release rollback' first",
      );
    }
    const { live, colors } = snapshot;
    const previous = { image: colors[live].image, mark: colors[live].mark };
    const earlier = wayBack(snapshot);
    const begun = { mark, image, version, from: live, to: other(live), previous, startedAt, earlier };
    return { ...begun, phase: "stage", ...(migrates && { migration: "due" }) };
  };
}

/** The release in progress. Gates that passed earlier are checked again before traffic moves. */
export const goOn: Rule = (snapshot) => {
  const release = inProgress(snapshot);
  return release.phase === "promote" && snapshot.live === release.from ? { ...release, phase: "verify" } : release;
};

/** The candidate's own release if it is in progress, otherwise a new one. */
export function beginOrGoOn(candidate: Candidate, origin: Origin): Rule {
  return (snapshot) => {
    const { release } = snapshot;
    const same = release?.image === candidate.image && release.version === candidate.version;
    return same && release.phase !== "ended" ? goOn(snapshot) : begin(candidate, origin)(snapshot);
  };
}

/** Back to the gates, for a release that is staged and not live. */
export const backToVerify: Rule = (snapshot) => {
  const { live, release } = snapshot;
  if (release === undefined || release.phase === "ended" || release.phase === "stage") {
    throw new UsageError("nothing is staged: begin with 'release stage' and name --image and --version");
  }
  if (live === release.to) {
    const onward = hasMoved(snapshot, release) ? "release bake" : "release run";
    throw new UsageError(`'${live}' is live already; go on with '${onward}'`);
  }
  return goOn(snapshot);
};

export const toBake: Rule = (snapshot) => {
  const release = inProgress(snapshot);
  if (!hasMoved(snapshot, release) && release.phase !== "rollback") {
    throw new UsageError(`no version is in its bake: the release is in phase '${release.phase}'`);
  }
  return release;
};

export const toRetire: Rule = (snapshot) => {
  const release = inProgress(snapshot);
  if (release.phase !== "retire") {
    throw new UsageError(`the release is in phase '${release.phase}'; only one that has passed its bake can retire`);
  }
  return release;
};

/**
 * Back to the color that was live before the release. Before promote nothing has to move, and the release is aborted.
 *
 * @param toChangedStandby roll back also if that color no longer runs the version from before the release
 */
export function rollBack(who: string, toChangedStandby = false): Rule {
  return (snapshot) => {
    const { live, colors } = snapshot;
    if (snapshot.release === undefined) {
      throw new UsageError("there was no release here, so there is nothing to roll back");
    }
    const nothingToUndo = snapshot.release.phase === "ended" && live !== snapshot.release.to;
    const release = nothingToUndo ? wayBack(snapshot) : snapshot.release;
    if (release === undefined) {
      throw new UsageError(`'${live}' is live, as before the last release; there is nothing to roll back`);
    }
    const { phase, from } = release;
    if (live !== release.to) {
      // The traffic is back already, or never moved; holds and record remain to be cleared.
      if (phase === "rollback" || phase === "bake" || phase === "retire") return release;
      return { ...release, phase: "retire", outcome: "aborted", reason: `aborted before promote by ${who}` };
    }
    const changed = changedStandby(snapshot, release);
    if (changed !== undefined && !toChangedStandby) throw new UsageError(changed);
    const { image, mark } = colors[from];
    const previous = changed === undefined ? release.previous : { image, mark };
    if (phase === "rollback") return changed === undefined ? release : { ...release, previous };
    // A retire that was interrupted may have removed the old color's hold already.
    const retired = release.retired === true || phase === "retire";
    const reason = `requested by ${who}`;
    return { ...release, previous, phase: "rollback", outcome: undefined, reason, retired, waited: undefined };
  };
}

/**
 * The release that made the live color live, while the idle one still has the version from before it. A later release that
 * ended before it changed the idle color leaves this way back.
 */
function wayBack(snapshot: Snapshot): ReleaseRecord | undefined {
  const { live, release } = snapshot;
  if (release === undefined) return undefined;
  const { earlier, ...last } = release;
  return [last, earlier].find((made) => made?.to === live && changedStandby(snapshot, made) === undefined);
}

function inProgress({ release }: Snapshot): ReleaseRecord {
  if (release === undefined || release.phase === "ended") {
    throw new UsageError(
      "no release is in progress: begin with 'release stage' or 'release run' and name --image and --version",
    );
  }
  return release;
}

/** The traffic has moved and the bake runs, or the move happened and was not yet recorded. */
function hasMoved({ live }: Snapshot, { phase, to }: ReleaseRecord): boolean {
  return phase === "bake" || (phase === "promote" && live === to);
}

/** A release that has moved traffic and has not ended; a new one would take away the color that it may return to. */
function unfinishedRelease({ release, live }: Snapshot): ReleaseRecord | undefined {
  if (release === undefined || release.phase === "ended") return undefined;
  return live === release.to || release.phase === "rollback" || release.phase === "retire" ? release : undefined;
}
