import { other } from "./color.ts";
import type { ReleaseRecord } from "./record.ts";
import { UsageError, type Snapshot } from "./target.ts";

/** What to release. */
export interface Candidate {
  /** An image by digest, or on this machine the path of a bundle. */
  readonly image: string;
  /** The version that its pods will report; the `version` gate holds them to it. */
  readonly version: string;
}

/**
 * What a person may ask of a release as it stands. Each rule gives the record to go on from, the same object when nothing about
 * it changes; the machine does the rest.
 *
 * @throws UsageError when it cannot be asked now; the message says what can
 */
export type Rule = (snapshot: Snapshot) => ReleaseRecord;

/** A new release to the idle color. One that has not moved traffic yet gives way to it. */
export function begin(candidate: Candidate, id: string, startedAt: string): Rule {
  return (snapshot) => {
    const inTheWay = unfinished(snapshot);
    if (inTheWay !== undefined) {
      throw new UsageError(
        `${inTheWay.version} is in phase '${inTheWay.phase}' and not at its end; ` +
          "finish it with 'release run' (without --image) or undo it with 'release rollback' first",
      );
    }
    return { ...candidate, id, from: snapshot.live, to: other(snapshot.live), phase: "stage", startedAt };
  };
}

/** Whatever is under way. Verdicts grow old, so one that had passed its gates is asked again before it takes traffic. */
export const goOn: Rule = (snapshot) => {
  const release = underWay(snapshot);
  return release.phase === "promote" && snapshot.live === release.from ? { ...release, phase: "verify" } : release;
};

/** The candidate's own release when it is the one under way, else a new one. */
export function beginOrGoOn(candidate: Candidate, id: string, startedAt: string): Rule {
  return (snapshot) => {
    const { release } = snapshot;
    const same = release?.image === candidate.image && release.version === candidate.version;
    return same && release.phase !== "ended" ? goOn(snapshot) : begin(candidate, id, startedAt)(snapshot);
  };
}

/** Back to the gates, for a release that has been staged and holds no traffic. */
export const backToVerify: Rule = (snapshot) => {
  const { live, release } = snapshot;
  if (release === undefined || release.phase === "ended" || release.phase === "stage") {
    throw new UsageError("nothing is staged: begin with 'release stage' and name --image and --version");
  }
  if (live === release.to) {
    const onward = hasMoved(snapshot, release) ? "release bake" : "release run";
    throw new UsageError(`'${live}' holds the traffic already; go on with '${onward}'`);
  }
  return goOn(snapshot);
};

export const toBake: Rule = (snapshot) => {
  const release = underWay(snapshot);
  if (!hasMoved(snapshot, release) && release.phase !== "rollback") {
    throw new UsageError(`nothing bakes: the release is in phase '${release.phase}'`);
  }
  return release;
};

export const toRetire: Rule = (snapshot) => {
  const release = underWay(snapshot);
  if (release.phase !== "retire") {
    throw new UsageError(`the release is in phase '${release.phase}'; only one that has passed its bake can retire`);
  }
  return release;
};

/** Back to the color that had the traffic before. Before promote there is nothing to move, and the release is given up. */
export function rollBack(who: string): Rule {
  return ({ live, release }) => {
    if (release === undefined) throw new UsageError("nothing was released here, so there is nothing to roll back");
    const { phase } = release;
    if (phase === "ended" && live !== release.to) {
      throw new UsageError(
        `'${live}' already holds the traffic that the last release was to take; nothing to roll back`,
      );
    }
    const reason = `asked for by ${who}`;
    if (phase === "rollback") return release;
    if (live === release.to) {
      // A retire that was interrupted may have lifted the old color's pin already.
      const retired = release.retired === true || phase === "retire";
      return { ...release, phase: "rollback", outcome: undefined, reason, retired };
    }
    // The traffic is back already; what is left is to clear up.
    if (phase === "bake" || phase === "retire") return release;
    return { ...release, phase: "retire", outcome: "refused", reason: `given up before promote, ${reason}` };
  };
}

function underWay({ release }: Snapshot): ReleaseRecord {
  if (release === undefined || release.phase === "ended") {
    throw new UsageError(
      "nothing is under way: begin with 'release stage' or 'release run' and name --image and --version",
    );
  }
  return release;
}

/** The traffic has moved and is watched, or the move happened and was not yet written down. */
function hasMoved({ live }: Snapshot, { phase, to }: ReleaseRecord): boolean {
  return phase === "bake" || (phase === "promote" && live === to);
}

/** A release that has moved traffic and not come to its end; a new one would take the idle color away that it needs. */
function unfinished({ release, live }: Snapshot): ReleaseRecord | undefined {
  if (release === undefined || release.phase === "ended") return undefined;
  return live === release.to || release.phase === "rollback" || release.phase === "retire" ? release : undefined;
}
