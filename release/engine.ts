import { bake } from "./bake/bake.ts";
import type { Color } from "../environment/color.ts";
import type { EngineOptions } from "./engine-options.ts";
import { Displaced, StateChanged, TargetRefused, TargetUnreachable, UsageError } from "./errors.ts";
import type { ReleaseResult } from "./events.ts";
import { waitForKeptConnections } from "./kept-connections.ts";
import { after, next, type Action, type Result } from "./machine.ts";
import { Outage } from "./outage.ts";
import type { Stage } from "./ports/staging.ts";
import type { Phase, ReleaseRecord } from "./record.ts";
import { done, ended, interrupted, paused, reached } from "./results.ts";
import type { Rule } from "./rules.ts";
import { waitForAutoscaler } from "./settle.ts";
import { waitForPods } from "./scale-up.ts";
import { observe, readyIn, type Snapshot } from "./snapshot.ts";
import { verify } from "./verify.ts";

const PASS: Result = { outcome: "pass", reason: "" };

/**
 * Drives a release: observe, decide, do one thing, record the phase, observe again.
 *
 * It has no state that a decision depends on. After a crash the next engine goes on from the target's state alone.
 */
export class Engine {
  readonly #options: EngineOptions;
  readonly #outage: Outage;
  #phase: Phase | undefined;
  #lastStep = "";
  /** Whether the new version is live, or may be. For the result alone. */
  #newIsLive = false;

  constructor(options: EngineOptions) {
    this.#options = options;
    const { clock, listener, environment } = options;
    this.#outage = new Outage({ clock, listener, timeoutSeconds: environment.release.bake.holdTimeoutSeconds });
  }

  /**
   * Goes on until the release has reached a phase (or has ended), a gate is inconclusive, or it is interrupted.
   *
   * @param rule what the command makes of the state that it finds
   * @param until stop before doing anything in this phase; `ended` runs the release to its end
   * @throws UsageError if the rule does, or something that only the user can supply is missing
   */
  async run(rule: Rule, until: Phase): Promise<ReleaseResult> {
    const { target, authority, signal } = this.#options;
    let first: Rule | undefined = rule;
    let unwritten: ReleaseRecord | undefined;
    // Whether anything was changed, or may have been.
    let started = false;
    for (;;) {
      try {
        if (unwritten !== undefined) {
          await authority.write(unwritten, signal);
          started = true;
        }
        unwritten = undefined;
        const snapshot = await observe(target, signal);
        if (first !== undefined) {
          const release = first(snapshot);
          first = undefined;
          this.#newIsLive = snapshot.live === release.to;
          if (release !== snapshot.release) {
            this.#warn(snapshot, release);
            unwritten = release;
            continue;
          }
          started = true;
        }
        const { release } = snapshot;
        this.#enter(snapshot);

        const action = next(snapshot);
        if (release === undefined || action.do === "nothing") {
          // Others gave it the traffic: an aborted release says that the old version is live.
          const contradicts = release?.outcome === "aborted" && this.#newIsLive;
          return contradicts ? paused(true, release.reason ?? "others moved the traffic") : ended(release);
        }
        if (reached(release, until)) return done(release);
        // What has reached its end by now was not interrupted.
        signal.throwIfAborted();
        if (action.do === "pause") return await this.#pause({ ...release, reason: action.reason }, action.reason);
        await this.#pace(action, release);
        const result = await this.#perform(action, snapshot, release);
        unwritten = this.#dated(after(release, action, result));
        if (result.outcome === "inconclusive") return await this.#pause(unwritten, result.reason);
        this.#outage.over();
      } catch (error) {
        started ||= unwritten !== undefined && error instanceof TargetUnreachable;
        if (!started && signal.aborted) throw error;
        if (signal.aborted) return interrupted(this.#newIsLive, signal.reason);
        if (error instanceof Displaced) return interrupted(this.#newIsLive, error);
        const stop = await this.#outage.wait(this.#asState(error), signal).catch((thrown: unknown) => {
          if (!signal.aborted) throw thrown;
          return undefined;
        });
        if (stop === undefined) continue;
        if (!started) return { result: "not-started", reason: stop };
        // The last error may have left open which color is live; the result must not, if that can be read.
        await observe(target, signal)
          .then((snapshot) => {
            this.#enter(snapshot);
          })
          .catch(() => undefined);
        return paused(this.#newIsLive, stop);
      }
    }
  }

  #warn({ live, colors }: Snapshot, { phase }: ReleaseRecord): void {
    if (phase !== "stage" || readyIn(colors[live]) > 0) return;
    this.#options.listener({ type: "progress", message: `warning: ${live} is live and has no ready pod` });
  }

  /**
   * What was right when the release began and no longer is, for instance because others deleted the Service, is no mistake
   * of the user who started it.
   */
  #asState(error: unknown): unknown {
    const begun = this.#phase !== undefined && this.#phase !== "stage";
    return begun && error instanceof UsageError ? new StateChanged(error.message, { cause: error }) : error;
  }

  /** An action that has to be repeated had no effect, or others undo it. Doing it again at once would only load the API. */
  async #pace(action: Action, { phase }: ReleaseRecord): Promise<void> {
    const { target, clock, signal } = this.#options;
    const step = `${phase} ${action.do}`;
    if (step === this.#lastStep) await clock.sleep(target.capacity.checkEveryMs, signal);
    this.#lastStep = step;
  }

  async #perform(action: Action, snapshot: Snapshot, release: ReleaseRecord): Promise<Result> {
    const { target, authority, listener, signal } = this.#options;
    switch (action.do) {
      case "nothing":
      case "pause":
        return PASS;
      case "correct":
        if (action.release.reason !== undefined) listener({ type: "progress", message: action.release.reason });
        return PASS;
      case "create-migration":
        await target.migrations?.create(action, authority.fence, signal);
        return PASS;
      case "migrate":
        return await this.#migrate(action);
      case "stage":
        if (snapshot.colors[action.color].mark !== action.mark) {
          await waitForKeptConnections(this.#options, action.color);
        }
        await target.staging.stage(action, authority.fence, signal);
        return PASS;
      case "scale-up":
        await this.#hold(release, action.pods).catch((error: unknown) => {
          this.#holdFailed(error, release);
        });
        return await waitForPods(this.#options, release, action);
      case "verify":
        return await verify({ ...this.#options, snapshot, release });
      case "move":
        return await this.#move(action.from, action.to);
      case "bake":
        return await bake({ ...this.#options, release });
      case "remove-holds":
        await this.#removeHolds(release);
        return PASS;
    }
  }

  async #migrate(stage: Stage): Promise<Result> {
    const { target, authority, listener, signal } = this.#options;
    const progress = (message: string) => {
      listener({ type: "progress", message });
    };
    if (target.migrations !== undefined) return await target.migrations.run(stage, authority.fence, signal, progress);
    progress("the environment has no migration any more: going on without");
    return PASS;
  }

  async #removeHolds({ from, to, outcome }: ReleaseRecord): Promise<void> {
    const { target, authority, signal } = this.#options;
    if (outcome === "released") await waitForKeptConnections(this.#options, from);
    await target.capacity.hold(to, undefined, authority.fence, signal);
    if (outcome === "rolled-back") await waitForAutoscaler(this.#options, from);
    signal.throwIfAborted();
    await target.capacity.hold(from, undefined, authority.fence, signal);
  }

  async #hold({ from, to }: ReleaseRecord, pods: number): Promise<void> {
    const { target, authority, signal } = this.#options;
    for (const color of [from, to]) {
      signal.throwIfAborted();
      await target.capacity.hold(color, pods, authority.fence, signal);
    }
  }

  /** A rollback goes on with the pods that are there: moving the traffic back needs no more of the target. */
  #holdFailed(error: unknown, { phase }: ReleaseRecord): void {
    const known = [TargetRefused, StateChanged, TargetUnreachable].some((kind) => error instanceof kind);
    if (phase !== "rollback" || !known || !(error instanceof Error)) throw error;
    this.#options.listener({ type: "progress", message: `warning: ${error.message}` });
  }

  async #move(from: Color, to: Color): Promise<Result> {
    const { target, authority, listener, signal, clock } = this.#options;
    const start = clock.now();
    // Until the next observation, a move that got no answer may have happened.
    this.#newIsLive = true;
    await target.traffic.move(from, to, authority.fence, signal);
    listener({ type: "traffic", from, to, seconds: (clock.now() - start) / 1000 });
    return PASS;
  }

  /** The record only says why; the release is paused whether or not that can be written. */
  async #pause(release: ReleaseRecord, reason: string): Promise<ReleaseResult> {
    await this.#options.authority.write(release, this.#options.signal).catch((error: unknown) => {
      if (error instanceof Displaced) throw error;
    });
    return paused(this.#newIsLive, reason);
  }

  #enter({ live, release }: Snapshot): void {
    if (release === undefined) return;
    this.#newIsLive = live === release.to;
    const { phase, from, to, version, image } = release;
    if (phase === this.#phase) return;
    this.#phase = phase;
    const { listener, target, signal } = this.#options;
    listener({ type: "phase", phase, from, to, version, image });
    void target.announce?.(phase, `${version}: ${from} → ${to}`, signal);
  }

  #dated(release: ReleaseRecord): ReleaseRecord {
    return release.phase === "ended" ? { ...release, endedAt: this.#options.clock.date().toISOString() } : release;
  }
}
