import { setTimeout as sleep } from "node:timers/promises";
import { COLORS, type Color } from "../environment/color.ts";
import type { ColorState } from "../release/ports/capacity.ts";
import { observe } from "../release/snapshot.ts";
import type { LocalTarget } from "../release/targets/local/target.ts";
import type { BreakerState, ColorOnStage, Recording } from "./record/recording.ts";

export interface FleetWatchOptions {
  readonly target: LocalTarget;
  readonly recording: Recording;
  readonly signal: AbortSignal;
}

const INTERVAL_MS = 300;

/**
 * Looks at both colors and at the live pods' breakers a few times a second, and records what has
 * changed.
 */
export class FleetWatch {
  readonly #options: FleetWatchOptions;
  readonly #versions = new Map<Color, string>();
  readonly #faults: string[] = [];
  #notes = 0;
  #breakers: readonly BreakerState[] = [];
  #said: Partial<Record<"fleet" | "breakers", string>> = {};

  constructor(options: FleetWatchOptions) {
    this.#options = options;
  }

  get breakers(): readonly BreakerState[] {
    return this.#breakers;
  }

  /**
   * Tells it which version a color runs from now on: a host knows artifacts, people think in
   * versions.
   */
  learn(color: Color, version: string): void {
    this.#versions.set(color, version);
  }

  /** The processes that ended by themselves since it was last asked, a sentence each. */
  takeFaults(): readonly string[] {
    return this.#faults.splice(0);
  }

  /**
   * Resolves when told to end. A look that fails is left out: pods come and go while they are
   * looked at.
   */
  async run(): Promise<void> {
    const { signal } = this.#options;
    while (!signal.aborted) {
      await this.#look().catch(() => undefined);
      await sleep(INTERVAL_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  async #look(): Promise<void> {
    const { target, recording } = this.#options;
    // The traffic may move while the answer is on its way.
    const at = Date.now();
    const { live, colors } = await observe(target);
    const onStage = Object.fromEntries(COLORS.map((color) => [color, this.#onStage(color, colors[color])])) as Record<
      Color,
      ColorOnStage
    >;
    if (this.#changed("fleet", { live, onStage })) recording.add({ type: "fleet", live, colors: onStage }, at);

    const { total, news } = await target.notes(this.#notes);
    this.#notes = total;
    for (const { kind, sentence } of news) {
      recording.add({ type: "note", text: sentence, bad: true });
      if (kind === "ended") this.#faults.push(sentence);
    }

    this.#breakers = (await target.scrape(live)).flatMap(breakersIn);
    if (this.#changed("breakers", this.#breakers)) recording.add({ type: "breakers", states: this.#breakers });
  }

  #onStage(color: Color, { image, pods }: ColorState): ColorOnStage {
    const version = image === undefined ? undefined : this.#versions.get(color);
    return { ...(version && { version }), pods: pods.map(({ name, ready }) => ({ name, ready })) };
  }

  #changed(what: "fleet" | "breakers", value: unknown): boolean {
    const text = JSON.stringify(value);
    if (text === this.#said[what]) return false;
    this.#said[what] = text;
    return true;
  }
}

const STATES: readonly BreakerState[] = ["closed", "half-open", "open"];

/**
 * The breaker around the weather API in one pod, from its metrics in the Prometheus text format;
 * the others have no part in this.
 */
export function breakersIn(metrics: string): BreakerState[] {
  return [...metrics.matchAll(/^mcp_breaker_state\{[^}]*\bbreaker="weather_api"[^}]*\} (\d)/gm)].flatMap(
    ([, state]) => STATES[Number(state)] ?? [],
  );
}
