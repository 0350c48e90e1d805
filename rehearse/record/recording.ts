import type { Color } from "../../environment/color.ts";
import type { ReleaseEvent } from "../../release/events.ts";
import type { ColorSample, FailedCall, Source } from "../traffic/sample.ts";
import type { Mood } from "../weather/mood.ts";

/** Which act, and what it shows; the same words on the page, in the terminal and in the report. */
export interface Billing {
  readonly number: number;
  readonly title: string;
  readonly story: string;
  /** What it is about: a release and its gates, or a dependency and the breakers around it. */
  readonly about: "release" | "dependency";
}

/** A gate that will be asked, and when. */
export interface AnnouncedGate {
  readonly name: string;
  readonly phases: readonly ("verify" | "bake")[];
}

export interface PodOnStage {
  readonly name: string;
  readonly ready: boolean;
}

export interface ColorOnStage {
  /** Absent before anything was staged on it. */
  readonly version?: string;
  readonly pods: readonly PodOnStage[];
}

/** A window of traffic, small enough to draw and to keep. */
export interface DrawnSample {
  readonly seconds: number;
  readonly colors: Readonly<
    Record<Color, Omit<ColorSample, "latencies" | "versions"> & { readonly p95Ms: number | null }>
  >;
  readonly sources: Readonly<Partial<Record<Source, number>>>;
  readonly failures: number;
  /** Calls that had arrived and had no answer at the end of the window; absent where only the server's side is known. */
  readonly unanswered?: number;
}

/** Something that happened. The page and the report are drawn from these alone, in their order. */
export type Happening =
  | {
      readonly type: "opening";
      readonly quick: boolean;
      readonly acts: readonly Billing[];
      readonly gates: readonly AnnouncedGate[];
      /** The p95 that a bake tolerates. */
      readonly p95LimitMs: number;
    }
  | { readonly type: "act"; readonly act: number; readonly state: "begins" }
  | { readonly type: "act"; readonly act: number; readonly state: "went well" | "went wrong"; readonly outcome: string }
  | { readonly type: "traffic"; readonly sample: DrawnSample }
  | { readonly type: "fleet"; readonly live: Color; readonly colors: Readonly<Record<Color, ColorOnStage>> }
  | { readonly type: "release"; readonly event: ReleaseEvent }
  | { readonly type: "weather"; readonly mood: Mood }
  /** The breaker around the weather API, for each pod of the live color. */
  | { readonly type: "breakers"; readonly states: readonly BreakerState[] }
  | { readonly type: "failed"; readonly call: FailedCall }
  /** Something to know, in a sentence; `bad` if it should not have happened. */
  | { readonly type: "note"; readonly text: string; readonly bad: boolean }
  | { readonly type: "stream"; readonly state: "open" | "ended"; readonly color?: Color }
  | { readonly type: "curtain"; readonly ok: boolean; readonly problems: readonly string[] };

export type BreakerState = "closed" | "half-open" | "open";

/** A happening and when, in milliseconds since the epoch. */
export type Moment = Happening & { readonly at: number };

/** Moments that are kept: those of some hours. */
const MAX_MOMENTS = 20_000;

/** All that happened, in order, for a page that is opened late. After the first moment, the oldest ones are dropped. */
export class Recording {
  readonly #moments: Moment[] = [];
  readonly #listeners = new Set<(moment: Moment) => void>();

  get moments(): readonly Moment[] {
    return this.#moments;
  }

  add(happening: Happening, at = Date.now()): void {
    const moment = { at, ...happening };
    this.#moments.push(moment);
    if (this.#moments.length > MAX_MOMENTS) this.#moments.splice(1, MAX_MOMENTS / 10);
    for (const listener of this.#listeners) listener(moment);
  }

  /** Calls back for everything from now on, until the returned function is called. */
  follow(listener: (moment: Moment) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
