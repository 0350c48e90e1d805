import type { Server } from "../../environment/schema/server.ts";

/** The names of a server's histogram of calls, and of its labels. */
export type HistogramNames = Pick<NonNullable<Server["metrics"]>, "histogram" | "methodLabel" | "errorLabel">;

/** Error types that say how the call was asked, not how it was answered; a new version is not to blame for its callers. */
const CALLERS_OWN = new Set(["", "caller_error", "rate_limited", "-32602", "cancelled"]);

/** Error type of a call whose client went away before the answer. Its duration is the time that the client waited. */
const CANCELLED = "cancelled";

/** Labels are optional. A label's value may hold anything, braces too. */
const SAMPLE = /^([\w:]+)(?:\{((?:[^"}]|"(?:[^"\\]|\\.)*")*)\})?\s+(\S+)/;

/** Tool calls since a pod started: how many took at most each bound, how many in all, how many failed. */
export interface CallHistogram {
  /** Upper bounds in seconds, ascending, the last one infinite; with the number of calls at or below each. */
  readonly buckets: Buckets;
  readonly calls: number;
  readonly errors: number;
  /** Buckets of the calls whose clients did not wait for the answer; `buckets` and `calls` include them. */
  readonly cancelled?: Buckets;
}

type Buckets = ReadonlyMap<number, number>;

/**
 * Reads the tool calls out of a scrape. A scrape without the metric is a pod that had no calls.
 *
 * Without a label for the method every sample is a call; without a label for errors no call counts as failed.
 *
 * @see https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
 */
export function readCalls(scrape: string, { histogram, methodLabel, errorLabel }: HistogramNames): CallHistogram {
  const buckets = new Map<number, number>();
  const cancelled = new Map<number, number>();
  let calls = 0;
  let errors = 0;
  for (const line of scrape.split("\n")) {
    if (!line.startsWith(histogram)) continue;
    const sample = SAMPLE.exec(line);
    if (sample === null) continue;
    const [, name = "", labelText = "", valueText] = sample;
    const labels = readLabels(labelText);
    const value = Number(valueText);
    const errorType = errorLabel === undefined ? "" : (labels.get(errorLabel) ?? "");
    if (methodLabel !== undefined && labels.get(methodLabel) !== "tools/call") continue;
    if (!Number.isFinite(value)) continue;
    if (name === `${histogram}_bucket`) {
      const bound = labels.get("le") === "+Inf" ? Infinity : Number(labels.get("le"));
      add(buckets, bound, value);
      if (errorType === CANCELLED) add(cancelled, bound, value);
    }
    if (name === `${histogram}_count`) {
      calls += value;
      if (!CALLERS_OWN.has(errorType)) errors += value;
    }
  }
  return { buckets, calls, errors, ...(cancelled.size > 0 && { cancelled }) };
}

/** What happened between two scrapes of one pod; one that restarted in between counts from zero, and some count went down. */
export function difference(before: CallHistogram | undefined, now: CallHistogram): CallHistogram {
  if (before === undefined || restarted(before, now)) return now;
  const since = (buckets: Buckets, earlier?: Buckets) =>
    new Map([...buckets].map(([bound, count]) => [bound, count - (earlier?.get(bound) ?? 0)]));
  return {
    buckets: since(now.buckets, before.buckets),
    calls: now.calls - before.calls,
    errors: now.errors - before.errors,
    ...(now.cancelled && { cancelled: since(now.cancelled, before.cancelled) }),
  };
}

function restarted(before: CallHistogram, now: CallHistogram): boolean {
  const fewer = [...before.buckets].some(([bound, count]) => (now.buckets.get(bound) ?? 0) < count);
  return fewer || now.calls < before.calls || now.errors < before.errors;
}

export function sum(histograms: readonly CallHistogram[]): CallHistogram {
  const buckets = new Map<number, number>();
  const cancelled = new Map<number, number>();
  for (const histogram of histograms) {
    for (const [bound, count] of histogram.buckets) add(buckets, bound, count);
    for (const [bound, count] of histogram.cancelled ?? []) add(cancelled, bound, count);
  }
  return {
    buckets,
    ...(cancelled.size > 0 && { cancelled }),
    calls: histograms.reduce((total, { calls }) => total + calls, 0),
    errors: histograms.reduce((total, { errors }) => total + errors, 0),
  };
}

function add(buckets: Map<number, number>, bound: number, count: number): void {
  buckets.set(bound, (buckets.get(bound) ?? 0) + count);
}

/** The largest bound that is at most the objective: calls in the buckets up to it are known to have met it. Seconds. */
export function boundOf({ buckets }: CallHistogram, objectiveSeconds: number): number | undefined {
  // Bounds are written in decimal, and an objective is computed.
  const met = [...buckets.keys()].filter((bound) => bound <= objectiveSeconds * (1 + 1e-9));
  return met.length === 0 ? undefined : Math.max(...met);
}

/** Calls that took longer than the objective, or than the next lower bound where the histogram lacks that one. */
export function slowCalls(histogram: CallHistogram, objectiveSeconds: number): number {
  const bound = boundOf(histogram, objectiveSeconds);
  return histogram.calls - (bound === undefined ? 0 : (histogram.buckets.get(bound) ?? 0));
}

/**
 * Calls whose clients went away within the objective. They show neither that the server met it nor that it did not, so
 * no test counts them. A client that waited longer has seen a slow call, which `slowCalls` counts.
 */
export function undecidedCalls(histogram: CallHistogram, objectiveSeconds: number): number {
  const bound = boundOf(histogram, objectiveSeconds);
  return bound === undefined ? 0 : (histogram.cancelled?.get(bound) ?? 0);
}

/**
 * The duration that a share of the calls stayed under, in seconds; interpolated within its bucket as Prometheus does it.
 * Nothing when there were no calls: a quantile over nothing is not a number that anybody should compare.
 *
 * @see https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile
 */
export function quantile({ buckets }: CallHistogram, share: number): number | undefined {
  const sorted = [...buckets].sort(([a], [b]) => a - b);
  const total = sorted.at(-1)?.[1] ?? 0;
  if (total === 0) return undefined;
  const rank = share * total;
  let lower = 0;
  let below = 0;
  for (const [bound, count] of sorted) {
    if (count >= rank) {
      // Beyond the last finite bound there is nothing to interpolate toward.
      if (bound === Infinity) return lower;
      return lower + (bound - lower) * ((rank - below) / (count - below));
    }
    lower = bound;
    below = count;
  }
  return lower;
}

function readLabels(text: string): Map<string, string> {
  return new Map([...text.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, name = "", value = ""]) => [name, value]));
}
