import { randomUUID } from "node:crypto";
import { hostname, userInfo } from "node:os";
import { Engine } from "./engine.ts";
import type { EngineOptions } from "./engine-options.ts";
import type { ReleaseResult } from "./events.ts";
import type { Phase } from "./record.ts";
import {
  backToVerify,
  begin,
  beginOrGoOn,
  goOn,
  rollBack,
  toBake,
  toRetire,
  type Candidate,
  type Rule,
} from "./rules.ts";
import { readyPods } from "./target.ts";

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
    return await this.#run(begin(candidate, randomUUID(), now()), "verify");
  }

  /** Asks the gates about the idle color. */
  async verify(): Promise<ReleaseResult> {
    return await this.#run(backToVerify, "promote");
  }

  /** Asks the gates once more, since what they said earlier may have changed, and moves the traffic. */
  async promote(): Promise<ReleaseResult> {
    return await this.#run(backToVerify, "bake");
  }

  /** Watches the new color under live traffic; rolls back when a gate fails. */
  async bake(): Promise<ReleaseResult> {
    return await this.#run(toBake, "retire");
  }

  /** Lifts the capacity pins of a release that has passed its bake. */
  async retire(): Promise<ReleaseResult> {
    return await this.#run(toRetire, "ended");
  }

  /** All phases: a new release when a candidate is named that is not under way already, else whatever is. */
  async run(candidate: Candidate | undefined): Promise<ReleaseResult> {
    if (candidate === undefined) return await this.#run(goOn, "ended");
    return await this.#run(beginOrGoOn(candidate, randomUUID(), now()), "ended");
  }

  /**
   * Moves the traffic back to the color that had it before the release: at once while that color is kept warm, else as soon as its
   * capacity is matched. Before promote there is nothing to move, and the release is given up.
   */
  async rollback(): Promise<ReleaseResult> {
    const result = await this.#run(rollBack(whoAmI()), "ended");
    // What was asked for was done.
    return result.result === "rolled-back" || result.result === "refused" ? { ...result, result: "done" } : result;
  }

  async #run(rule: Rule, until: Phase): Promise<ReleaseResult> {
    const { target, listener } = this.#options;
    const snapshot = await target.look();
    const release = rule(snapshot);
    if (release !== snapshot.release) await target.record(release);
    if (release.phase === "stage" && readyPods(snapshot, snapshot.live) === 0) {
      listener({ type: "progress", message: `warning: ${snapshot.live} is live and has no ready pod` });
    }
    return await new Engine(this.#options).run(until);
  }
}

const now = () => new Date().toISOString();

/** Who holds the lease, for the message that somebody else will read. */
export function whoAmI(): string {
  return `${userInfo().username}@${hostname()} (process ${process.pid})`;
}
