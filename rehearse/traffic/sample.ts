import type { Color } from "../../environment/color.ts";

/**
 * What went wrong with a call, from the wire up.
 *
 * - `connection`: refused, reset or closed before the answer was complete
 * - `http`: an answer that is not an MCP answer (status 4xx or 5xx)
 * - `protocol`: a JSON-RPC error, or an answer that breaks the protocol
 * - `timeout`: no answer in time
 * - `tool`: the tool says that it failed
 * - `wrong-answer`: a well-formed answer that is not true
 * - `stream`: a listen stream that broke instead of being ended
 */
export const FAILURES = ["connection", "http", "protocol", "timeout", "tool", "wrong-answer", "stream"] as const;

export type Failure = (typeof FAILURES)[number];

/** Where the app took its answer from. */
export type Source = "live" | "cached" | "static";

/** What one color answered in one window of time. */
export interface ColorSample {
  readonly calls: number;
  readonly failures: number;
  /** Latency of each answered call, from its arrival, in microseconds. */
  readonly latencies: readonly number[];
  readonly sources: Readonly<Partial<Record<Source, number>>>;
  /** Answers by the version that gave them. */
  readonly versions: Readonly<Record<string, number>>;
}

/** A call of constant cost on a new connection: where it went, and when; milliseconds since the epoch. */
export interface Pulse {
  readonly color: Color;
  /** Just before the connection was opened. */
  readonly openedAt: number;
  readonly answeredAt: number;
}

/** All calls that ended in one window of time. */
export interface TrafficSample {
  /** When the window ended, in milliseconds since the epoch. */
  readonly at: number;
  readonly seconds: number;
  readonly colors: Readonly<Record<Color, ColorSample>>;
  /** Calls by how they connected and which protocol era they spoke: `fresh legacy`, `kept modern`, … */
  readonly callers: Readonly<Record<string, number>>;
  /** Failed calls, also those that no color answered. */
  readonly failures: Readonly<Partial<Record<Failure, number>>>;
  readonly pulses: readonly Pulse[];
  /** Calls that were not made, because too many waited already. */
  readonly dropped: number;
  /** Calls that had arrived and had no answer when the window ended. */
  readonly unanswered: number;
  /** Sessions that a server no longer knew; their clients began another one. @default 0 */
  readonly sessionsEnded?: number;
}

/** One failed call, whole. */
export interface FailedCall {
  readonly at: number;
  readonly failure: Failure;
  readonly caller: string;
  readonly message: string;
  readonly color?: Color;
  readonly version?: string;
}

/** What the traffic process tells the one that started it. */
export type TrafficReport =
  | { readonly type: "sample"; readonly sample: TrafficSample }
  | { readonly type: "failed"; readonly call: FailedCall }
  /** The listen stream is open, or the server ended it as it should and it is being opened again. */
  | { readonly type: "stream"; readonly state: "open" | "ended"; readonly color?: Color };
