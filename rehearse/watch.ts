import type { Environment } from "../environment/environment.ts";
import { COLORS, type Color } from "../environment/color.ts";
import { GATES } from "../release/gates/index.ts";
import { difference, quantile, sum, type CallHistogram } from "../release/measure/histogram.ts";
import { systemClock } from "../release/system-clock.ts";
import type { Target } from "../release/ports/target.ts";
import type { ReleaseRecord } from "../release/record.ts";
import { ended } from "../release/results.ts";
import { observe, type Snapshot } from "../release/snapshot.ts";
import { servePage } from "./page/server.ts";
import { WatchedEvidence } from "./watched-evidence.ts";
import { Recording, type ColorOnStage, type DrawnSample } from "./record/recording.ts";

const INTERVAL_MS = 2000;

export interface WatchOptions {
  readonly target: Target;
  readonly environment: Environment;
  /** The port of the page on this machine; 0 for any free one. */
  readonly port: number;
  readonly signal: AbortSignal;
  /** The page can be opened. */
  readonly onReady: (url: string) => void;
}

/**
 * Serves the rehearsal's page for a target, whoever releases there: colors, phases, and the live calls that pods count.
 *
 * It only reads. Gates are not shown with their outcomes, because a release does not write them down. The evidence of a
 * bake is counted here: see WatchedEvidence.
 *
 * @returns when the signal aborts
 */
export async function watchTarget({ target, environment, port, signal, onReady }: WatchOptions): Promise<void> {
  const recording = new Recording();
  const { maxP95Ms } = environment.release.bake;
  const gates = GATES.map(({ name, phases }) => ({ name, phases }));
  recording.add({ type: "opening", quick: false, acts: [], gates, p95LimitMs: maxP95Ms });
  const page = await servePage(recording, port, `Releases of ${environment.name}`);
  onReady(page.url);
  const watch = new TargetWatch(target, recording, environment);
  while (!signal.aborted) {
    await watch.check(signal);
    await systemClock.sleep(INTERVAL_MS, signal).catch(() => undefined);
  }
  await page.close();
}

/** Records what has changed at a target since the last check. */
export class TargetWatch {
  readonly #target: Target;
  readonly #recording: Recording;
  readonly #environment: Environment;
  readonly #versions = new Map<string, string>();
  readonly #calls = new Map<Color, ReadonlyMap<string, CallHistogram>>();
  #fleet = "";
  #release = "";
  /** Of the bake that is in progress. */
  #evidence: { readonly mark: string; readonly of: Color; readonly tests: WatchedEvidence } | undefined;
  #problem = "";
  #sampledAt = systemClock.now();

  constructor(target: Target, recording: Recording, environment: Environment) {
    this.#target = target;
    this.#environment = environment;
    this.#recording = recording;
  }

  /** An error of the target is shown once, and the next check tries again. */
  async check(signal: AbortSignal): Promise<void> {
    try {
      const snapshot = await observe(this.#target, signal);
      await this.#learnVersions(snapshot, signal);
      this.#addRelease(snapshot.release);
      this.#addFleet(snapshot);
      this.#recording.add({ type: "traffic", sample: await this.#sample(signal) });
      this.#beginBake(snapshot.release);
      this.#problem = "";
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      if (signal.aborted || message === this.#problem) return;
      this.#problem = message;
      this.#recording.add({ type: "release", event: { type: "progress", message } });
    }
  }

  async #learnVersions({ release, colors }: Snapshot, signal: AbortSignal): Promise<void> {
    const unknown = COLORS.some((color) => !this.#versions.has(colors[color].mark ?? ""));
    const history = unknown ? await this.#target.records.history(signal) : [];
    for (const { mark, version } of [...history, ...(release ? [release] : [])]) this.#versions.set(mark, version);
  }

  #addFleet({ live, colors }: Snapshot): void {
    const onStage = { blue: this.#onStage(colors.blue), green: this.#onStage(colors.green) };
    const fleet = JSON.stringify([live, onStage]);
    if (fleet === this.#fleet) return;
    this.#fleet = fleet;
    this.#recording.add({ type: "fleet", live, colors: onStage });
  }

  #onStage({ mark = "", pods }: Snapshot["colors"][Color]): ColorOnStage {
    const version = this.#versions.get(mark);
    return { ...(version && { version }), pods: pods.map(({ name, ready }) => ({ name, ready })) };
  }

  #addRelease(release: ReleaseRecord | undefined): void {
    if (release === undefined) return;
    const { mark, phase, from, to, version, image } = release;
    const now = `${mark} ${phase}`;
    if (now === this.#release) return;
    this.#release = now;
    this.#recording.add({ type: "release", event: { type: "phase", phase, from, to, version, image } });
    if (phase !== "ended") return;
    this.#recording.add({ type: "release", event: { type: "result", ...ended(release) } });
  }

  /** Calls count from the first check of the bake: before it, gates call the new color. */
  #beginBake(release: ReleaseRecord | undefined): void {
    if (release?.phase !== "bake") this.#evidence = undefined;
    else if (this.#evidence?.mark !== release.mark) {
      const { mark, to } = release;
      this.#evidence = { mark, of: to, tests: new WatchedEvidence(this.#environment) };
    }
  }

  /** The calls that the pods of both colors have counted since the last sample. */
  async #sample(signal: AbortSignal): Promise<DrawnSample> {
    const colors = { blue: await this.#sampleOf("blue", signal), green: await this.#sampleOf("green", signal) };
    const now = systemClock.now();
    const seconds = (now - this.#sampledAt) / 1000;
    this.#sampledAt = now;
    return { seconds, colors, sources: {}, failures: colors.blue.failures + colors.green.failures };
  }

  async #sampleOf(color: Color, signal: AbortSignal): Promise<DrawnSample["colors"][Color]> {
    const now = (await this.#target.measurements?.calls(color, signal))?.pods ?? new Map<string, CallHistogram>();
    const before = this.#calls.get(color);
    this.#calls.set(color, now);
    const during = sum(before === undefined ? [] : [...now].map(([pod, calls]) => difference(before.get(pod), calls)));
    if (color === this.#evidence?.of) {
      const events = this.#evidence.tests.add(during, this.#sampledAt, systemClock.now());
      for (const event of events) this.#recording.add({ type: "release", event });
    }
    const p95 = quantile(during, 0.95);
    return { calls: during.calls, failures: during.errors, sources: {}, p95Ms: p95 === undefined ? null : p95 * 1000 };
  }
}
