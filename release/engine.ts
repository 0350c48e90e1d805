import { setTimeout as sleep } from "node:timers/promises";
import { bake } from "./bake.ts";
import type { Color } from "./color.ts";
import type { EngineOptions } from "./engine-options.ts";
import type { ReleaseResult } from "./events.ts";
import { verify } from "./verify.ts";
import { after, next, type Action, type Result } from "./machine.ts";
import { PHASES, type Phase, type ReleaseRecord } from "./record.ts";
import { readyPods, TargetUnreachable, TrafficMoved, type Snapshot } from "./target.ts";

const PASS: Result = { outcome: "pass", reason: "" };

/**
 * Drives a release: look, decide, do one thing, write down where it stands, look again.
 *
 * It holds no state of its own: whatever happens to this process, the next one goes on from what the target says.
 */
export class Engine {
  readonly #options: EngineOptions;

  constructor(options: EngineOptions) {
    this.#options = options;
  }

  /**
   * Goes on until the release has reached a phase (or has ended), a gate holds, or it is interrupted.
   *
   * @param until stop before doing anything in this phase; `ended` runs it to its end
   */
  async run(until: Phase): Promise<ReleaseResult> {
    const { target, signal } = this.#options;
    let phase: Phase | undefined;
    let unwritten: ReleaseRecord | undefined;
    let reachedAt = performance.now();
    for (;;) {
      try {
        if (unwritten !== undefined) await target.record(unwritten);
        unwritten = undefined;
        const snapshot = await target.look();
        reachedAt = performance.now();
        const { release } = snapshot;
        if (release !== undefined && release.phase !== phase) this.#sayPhase(release);
        phase = release?.phase;

        const action = next(snapshot);
        if (release === undefined || action.do === "nothing") return ended(release);
        if (reached(release, until)) return { result: "done", reason: STANDS[release.phase](release) };
        // What has come to its end by now has not been interrupted.
        signal.throwIfAborted();
        const result = await this.#perform(action, snapshot, release);
        reachedAt = performance.now();
        unwritten = after(release, action, result);
        if (result.outcome === "hold") {
          // It stays where it is, written down or not; the record would only say why.
          await target.record(unwritten).catch(() => undefined);
          return { result: "held", reason: result.reason };
        }
      } catch (error) {
        if (signal.aborted) return interrupted(signal.reason);
        const held = await this.#outOfReach(error, phase, reachedAt);
        if (held !== undefined) return held;
      }
    }
  }

  /**
   * Says nothing when it is worth looking again. Once traffic moves, a target that is out of reach for a moment must not leave it
   * unwatched, or on a color that fails.
   *
   * @throws the error when it says nothing about reach
   */
  async #outOfReach(error: unknown, phase: Phase | undefined, reachedAt: number): Promise<ReleaseResult | undefined> {
    const { environment, listener, signal } = this.#options;
    if (error instanceof TrafficMoved) {
      listener({ type: "progress", message: error.message });
      return undefined;
    }
    if (!(error instanceof TargetUnreachable)) throw error;
    const atStake = phase === "promote" || phase === "bake" || phase === "rollback";
    const patienceMs = environment.release.bake.holdTimeoutSeconds * 1000;
    if (!atStake || performance.now() - reachedAt > patienceMs) return { result: "held", reason: error.message };
    listener({ type: "progress", message: `trying again: ${error.message}` });
    await sleep(LOOK_INTERVAL_MS, undefined, { signal }).catch(() => undefined);
    return undefined;
  }

  async #perform(action: Action, snapshot: Snapshot, release: ReleaseRecord): Promise<Result> {
    const { target, listener } = this.#options;
    switch (action.do) {
      case "nothing":
        return PASS;
      case "correct":
        if (action.release.reason !== undefined) listener({ type: "progress", message: action.release.reason });
        return PASS;
      case "stage":
        await target.stage(action.color, action.image);
        return PASS;
      case "match":
        await this.#pin(release, action.pods);
        return await this.#grow(action.color, action.ready, release);
      case "verify":
        return await verify({ ...this.#options, snapshot, release });
      case "move":
        return await this.#move(action.from, action.to);
      case "bake":
        return await bake({ ...this.#options, release });
      case "unpin":
        await this.#pin(release, undefined);
        return PASS;
    }
  }

  async #pin({ from, to }: ReleaseRecord, pods: number | undefined): Promise<void> {
    const { target, signal } = this.#options;
    for (const color of [from, to]) {
      signal.throwIfAborted();
      await target.pin(color, pods);
    }
  }

  /** Waits until a color has as many ready pods, all of them of what was staged there last. */
  async #grow(color: Color, pods: number, release: ReleaseRecord): Promise<Result> {
    const { target, environment, listener, signal } = this.#options;
    const timeoutMs = environment.release.stageTimeoutSeconds * 1000;
    const deadline = performance.now() + timeoutMs;
    let seen = "";
    for (;;) {
      const snapshot = await target.look();
      const ready = readyPods(snapshot, color);
      const { rollingOut = false } = snapshot.colors[color];
      const state = `${color}: ${ready} of ${pods} pods ready${rollingOut ? ", old ones among them" : ""}`;
      if (state !== seen) listener({ type: "progress", message: state });
      seen = state;
      if (ready >= pods && !rollingOut) return PASS;
      if (performance.now() > deadline) {
        const reason = `${state} after ${environment.release.stageTimeoutSeconds} s`;
        // A rollback cannot ask the gates instead; it waits for the capacity, or for a person.
        return { outcome: release.phase === "rollback" ? "hold" : "fail", reason };
      }
      await sleep(LOOK_INTERVAL_MS, undefined, { signal });
    }
  }

  async #move(from: Color, to: Color): Promise<Result> {
    const { target, listener } = this.#options;
    const start = performance.now();
    await target.moveTraffic(from, to);
    listener({ type: "traffic", from, to, seconds: (performance.now() - start) / 1000 });
    return PASS;
  }

  #sayPhase({ phase, from, to, version, image }: ReleaseRecord): void {
    this.#options.listener({ type: "phase", phase, from, to, version, image });
  }
}

const LOOK_INTERVAL_MS = 200;

/** A rollback, and the retire after one or after a refusal, is finished in any case: no half of it waits for another command. */
function reached({ phase, outcome }: ReleaseRecord, until: Phase): boolean {
  if (phase === "rollback" || (phase === "retire" && outcome !== "released")) return false;
  return PHASES.indexOf(phase) >= PHASES.indexOf(until);
}

/** Where a release stands when a command for one phase has done its part, and what comes next. */
const STANDS: Record<Phase, (release: ReleaseRecord) => string> = {
  stage: ({ to }) => `nothing is staged on ${to} yet; next: release stage`,
  verify: ({ version, to }) => `${version} is staged on ${to}; next: release verify`,
  promote: ({ version, to }) => `${version} on ${to} passed its gates; next: release promote`,
  bake: ({ version, to, from }) => `${to} holds the traffic with ${version}, ${from} stands ready; next: release bake`,
  retire: ({ version, from }) => `${version} passed its bake; next: release retire, which lets ${from} shrink`,
  rollback: ({ from }) => `traffic is moving back to ${from}; next: release rollback`,
  ended: () => "nothing is under way",
};

function ended(release: ReleaseRecord | undefined): ReleaseResult {
  if (release === undefined) return { result: "done", reason: "there is no release" };
  const { outcome, version, from, to, reason } = release;
  switch (outcome) {
    case "released":
      return { result: "done", reason: `${version} is live on ${to}` };
    case "refused":
      return { result: "refused", reason: reason ?? `${version} was refused` };
    case "rolled-back":
      return { result: "rolled-back", reason: `${from} holds the traffic again: ${reason ?? "rolled back"}` };
    case undefined:
      return { result: "refused", reason: reason ?? "abandoned" };
  }
}

function interrupted(reason: unknown): ReleaseResult {
  const why = reason instanceof Error ? reason.message : "interrupted";
  return { result: "interrupted", reason: `${why}; go on with 'release run', or back with 'release rollback'` };
}
