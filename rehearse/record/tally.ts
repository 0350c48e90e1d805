import { createHistogram, type RecordableHistogram } from "node:perf_hooks";
import { COLORS } from "../../environment/color.ts";
import type { FailedCall, Failure, Source, TrafficSample } from "../traffic/sample.ts";
import type { DrawnSample } from "./recording.ts";

export interface Latency {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
}

/** What the traffic saw, added up. */
export interface Calls {
  readonly calls: number;
  /** Failed calls by what went wrong; empty when none did. */
  readonly failures: Readonly<Partial<Record<Failure, number>>>;
  /** The first failed calls, whole. */
  readonly failedCalls: readonly FailedCall[];
  readonly byColor: Readonly<Record<string, number>>;
  readonly byVersion: Readonly<Record<string, number>>;
  /** Answers by where the app took them from. */
  readonly bySource: Readonly<Partial<Record<Source, number>>>;
  /** Calls by how they connected and which era they spoke. */
  readonly byCaller: Readonly<Record<string, number>>;
  /** Calls that were not made, because too many waited already; they are not in any other number. */
  readonly dropped: number;
  readonly latencyMs: Latency;
  /** Sessions in memory that a switch ended; their clients began another one, and lost no call. */
  readonly sessionsEnded: number;
}

const FAILED_CALLS_KEPT = 20;

/** Adds traffic up. Latencies go into a histogram, so that it is as small for a million calls as for one. */
export class Tally {
  readonly #latencies = createHistogram();
  readonly #failures: Partial<Record<Failure, number>> = {};
  readonly #failedCalls: FailedCall[] = [];
  readonly #byColor: Record<string, number> = {};
  readonly #byVersion: Record<string, number> = {};
  readonly #bySource: Partial<Record<Source, number>> = {};
  readonly #byCaller: Record<string, number> = {};
  #dropped = 0;
  #sessionsEnded = 0;

  add(sample: TrafficSample): void {
    for (const color of COLORS) {
      const { calls, latencies, sources, versions } = sample.colors[color];
      record(this.#latencies, latencies);
      if (calls > 0) addTo(this.#byColor, { [color]: calls });
      addTo(this.#byVersion, versions);
      addTo(this.#bySource, sources);
    }
    addTo(this.#byCaller, sample.callers);
    addTo(this.#failures, sample.failures);
    this.#dropped += sample.dropped;
    this.#sessionsEnded += sample.sessionsEnded ?? 0;
  }

  addFailed(call: FailedCall): void {
    if (this.#failedCalls.length < FAILED_CALLS_KEPT) this.#failedCalls.push(call);
  }

  calls(): Calls {
    const percentile = (percent: number) => (this.#latencies.count === 0 ? 0 : ms(this.#latencies.percentile(percent)));
    return {
      calls: total(this.#byCaller),
      failures: { ...this.#failures },
      failedCalls: [...this.#failedCalls],
      byColor: { ...this.#byColor },
      byVersion: { ...this.#byVersion },
      bySource: { ...this.#bySource },
      byCaller: { ...this.#byCaller },
      dropped: this.#dropped,
      latencyMs: { p50: percentile(50), p95: percentile(95), p99: percentile(99) },
      sessionsEnded: this.#sessionsEnded,
    };
  }
}

/** What of a window is drawn. */
export function drawn(sample: TrafficSample): DrawnSample {
  const color = (name: "blue" | "green") => {
    const { calls, failures, sources, latencies } = sample.colors[name];
    const histogram = createHistogram();
    record(histogram, latencies);
    return { calls, failures, sources, p95Ms: latencies.length === 0 ? null : ms(histogram.percentile(95)) };
  };
  const sources = {};
  for (const name of COLORS) addTo(sources, sample.colors[name].sources);
  return {
    seconds: Math.round(sample.seconds * 1000) / 1000,
    colors: { blue: color("blue"), green: color("green") },
    sources,
    failures: total(sample.failures),
    unanswered: sample.unanswered,
  };
}

export const total = (counts: Readonly<Partial<Record<string, number>>>): number =>
  Object.values(counts).reduce<number>((sum, count) => sum + (count ?? 0), 0);

const ms = (microseconds: number): number => Math.round(microseconds / 10) / 100;

function record(histogram: RecordableHistogram, microseconds: readonly number[]): void {
  for (const latency of microseconds) histogram.record(Math.max(1, latency));
}

function addTo<K extends string>(counts: Partial<Record<K, number>>, more: Readonly<Partial<Record<K, number>>>): void {
  for (const key in more) counts[key] = (counts[key] ?? 0) + (more[key] ?? 0);
}
