import { randomUUID } from "node:crypto";
import { hostname, userInfo } from "node:os";
import { other } from "./color.ts";
import { Engine, type EngineOptions } from "./engine.ts";
import type { ReleaseResult } from "./events.ts";
import type { ReleaseRecord } from "./record.ts";
import { readyPods, UsageError, type Snapshot } from "./target.ts";

/** What to release. */
export interface Candidate {
  /** An image by digest, or on this machine the path of a bundle. */
  readonly image: string;
  /** The version that its pods will report; the `version` gate holds them to it. */
  readonly version: string;
}

/**
 * The commands of a release, each one phase of it. All go on from what the target says; none remembers anything.
 *
 * @throws UsageError when the release does not stand where the command could begin
 */
export class Commands {
  readonly #options: EngineOptions;

  constructor(options: EngineOptions) {
    this.#options = options;
  }

  /** Puts a version on the idle color. */
  async stage(candidate: Candidate): Promise<ReleaseResult> {
    await this.#begin(candidate);
    return await this.#run("verify");
  }

  /** Asks the gates about the idle color. */
  async verify(): Promise<ReleaseResult> {
    await this.#backToVerify();
    return await this.#run("promote");
  }

  /** Asks the gates once more, since what they said earlier may have changed, and moves the traffic. */
  async promote(): Promise<ReleaseResult> {
    await this.#backToVerify();
    return await this.#run("bake");
  }

  /** Watches the new color under live traffic; rolls back when a gate fails. */
  async bake(): Promise<ReleaseResult> {
    const { phase } = await this.#underWay();
    if (phase !== "bake" && phase !== "rollback")
      throw new UsageError(`nothing bakes: the release is in phase '${phase}'`);
    return await this.#run("retire");
  }

  /** Lifts the capacity pins of a release that has passed its bake. */
  async retire(): Promise<ReleaseResult> {
    const { phase } = await this.#underWay();
    if (phase !== "retire") {
      throw new UsageError(`the release is in phase '${phase}'; only one that has passed its bake can retire`);
    }
    return await this.#run("ended");
  }

  /** All phases: a new release when a candidate is named, else whatever is under way. */
  async run(candidate: Candidate | undefined): Promise<ReleaseResult> {
    if (candidate === undefined) await this.#underWay();
    else await this.#beginOrResume(candidate);
    return await this.#run("ended");
  }

  /**
   * Moves the traffic back to the color that had it before the release: at once while that color is kept warm, else as soon as its
   * capacity is matched. Before promote there is nothing to move, and the release is given up.
   */
  async rollback(): Promise<ReleaseResult> {
    const { target } = this.#options;
    const snapshot = await target.look();
    const { live, release } = snapshot;
    if (release === undefined) throw new UsageError("nothing was released here, so there is nothing to roll back");
    if (release.phase === "ended" && live !== release.to) {
      throw new UsageError(
        `'${live}' already holds the traffic that the last release was to take; nothing to roll back`,
      );
    }
    const reason = `asked for by ${whoAmI()}`;
    if (live === release.to) {
      await target.record({ ...release, phase: "rollback", outcome: undefined, reason });
    } else {
      await target.record({
        ...release,
        phase: "retire",
        outcome: "refused",
        reason: `given up before promote, ${reason}`,
      });
    }
    const result = await this.#run("ended");
    // What was asked for was done.
    return result.result === "rolled-back" || result.result === "refused" ? { ...result, result: "done" } : result;
  }

  async #run(until: ReleaseRecord["phase"]): Promise<ReleaseResult> {
    return await new Engine(this.#options).run(until);
  }

  async #underWay(): Promise<ReleaseRecord> {
    const { release } = await this.#options.target.look();
    if (release === undefined || release.phase === "ended") {
      throw new UsageError(
        "nothing is under way: begin with 'release stage' or 'release run' and name --image and --version",
      );
    }
    return release;
  }

  async #backToVerify(): Promise<void> {
    const { target } = this.#options;
    const { live, release } = await target.look();
    if (release === undefined || release.phase === "ended" || release.phase === "stage") {
      throw new UsageError("nothing is staged: begin with 'release stage' and name --image and --version");
    }
    if (live === release.to) throw new UsageError(`'${live}' holds the traffic already; go on with 'release bake'`);
    if (release.phase === "promote") await target.record({ ...release, phase: "verify" });
  }

  async #beginOrResume(candidate: Candidate): Promise<void> {
    const { release } = await this.#options.target.look();
    const same = release?.image === candidate.image && release.version === candidate.version;
    if (!same || release.phase === "ended") await this.#begin(candidate);
  }

  async #begin(candidate: Candidate): Promise<void> {
    const { target } = this.#options;
    const snapshot = await target.look();
    const inTheWay = unfinished(snapshot);
    if (inTheWay !== undefined) {
      throw new UsageError(
        `${inTheWay.version} is in phase '${inTheWay.phase}' and holds the traffic; ` +
          "finish it with 'release run' (without --image) or undo it with 'release rollback' first",
      );
    }
    if (readyPods(snapshot, snapshot.live) === 0) {
      this.#options.listener({ type: "progress", message: `warning: ${snapshot.live} is live and has no ready pod` });
    }
    await target.record({
      ...candidate,
      id: randomUUID(),
      from: snapshot.live,
      to: other(snapshot.live),
      phase: "stage",
      startedAt: new Date().toISOString(),
    });
  }
}

/** A release that has moved traffic and not come to its end; a new one would take the idle color away that it needs. */
function unfinished({ release, live }: Snapshot): ReleaseRecord | undefined {
  const { phase } = release ?? { phase: "ended" };
  if (release === undefined || phase === "ended") return undefined;
  return live === release.to || phase === "rollback" || phase === "retire" ? release : undefined;
}

/** Who holds the lease, for the message that somebody else will read. */
export function whoAmI(): string {
  return `${userInfo().username}@${hostname()} (process ${process.pid})`;
}
