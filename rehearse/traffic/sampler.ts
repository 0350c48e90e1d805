import type { Color } from "../../environment/color.ts";
import type { ColorSample, FailedCall, Failure, Pulse, Source, TrafficReport } from "./sample.ts";

/** A call that was answered, or a failure that a color answered. */
export interface Answered {
  readonly caller: string;
  readonly color?: Color;
  readonly version?: string;
  /** From its arrival to its answer. */
  readonly latencyMs: number;
  readonly source?: Source;
  /** Of a call of the pulse: just before its connection was opened, in milliseconds since the epoch. */
  readonly openedAt?: number;
}

/** Failures of one window that are reported whole; more are only counted: a broken run must not flood its report. */
const WHOLE_FAILURES = 5;

/**
 * Adds up calls and reports them a window at a time, so that neither process holds a call for longer than that.
 */
export class Sampler {
  readonly #report: (report: TrafficReport) => void;
  #window = emptyWindow();
  #openedAt = performance.now();
  #told = 0;

  constructor(report: (report: TrafficReport) => void) {
    this.#report = report;
  }

  answered(call: Answered): void {
    this.#count(call.caller);
    if (call.color === undefined) return;
    const color = this.#window.colors[call.color];
    color.calls += 1;
    color.latencies.push(Math.round(call.latencyMs * 1000));
    if (call.source !== undefined) color.sources[call.source] = (color.sources[call.source] ?? 0) + 1;
    if (call.version !== undefined) color.versions[call.version] = (color.versions[call.version] ?? 0) + 1;
    const { color: answeredBy, openedAt } = call;
    if (openedAt !== undefined) this.#window.pulses.push({ color: answeredBy, openedAt, answeredAt: wallClock() });
  }

  failed(call: Omit<FailedCall, "at">): void {
    this.#count(call.caller);
    this.#window.failures[call.failure] = (this.#window.failures[call.failure] ?? 0) + 1;
    if (call.color !== undefined) {
      this.#window.colors[call.color].calls += 1;
      this.#window.colors[call.color].failures += 1;
    }
    this.#told += 1;
    if (this.#told <= WHOLE_FAILURES) this.#report({ type: "failed", call: { at: wallClock(), ...call } });
  }

  /** A server no longer knew a session, and its client begins another one. The call itself is made again, and counted then. */
  sessionEnded(): void {
    this.#window.sessionsEnded += 1;
  }

  /** A call that was not made, because too many waited already. */
  dropped(): void {
    this.#window.dropped += 1;
  }

  /**
   * Reports the window and opens the next one.
   *
   * @param unanswered calls that have arrived and have no answer yet
   */
  flush(unanswered: number): void {
    const now = performance.now();
    this.#report({
      type: "sample",
      sample: { at: wallClock(), seconds: (now - this.#openedAt) / 1000, unanswered, ...this.#window },
    });
    this.#openedAt = now;
    this.#window = emptyWindow();
    this.#told = 0;
  }

  #count(caller: string): void {
    this.#window.callers[caller] = (this.#window.callers[caller] ?? 0) + 1;
  }
}

/** Milliseconds since the epoch, with fractions: comparable between processes of one machine. */
export const wallClock = (): number => performance.timeOrigin + performance.now();

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

interface Tally extends Mutable<Pick<ColorSample, "calls" | "failures">> {
  latencies: number[];
  sources: Partial<Record<Source, number>>;
  versions: Record<string, number>;
}

const emptyTally = (): Tally => ({ calls: 0, failures: 0, latencies: [], sources: {}, versions: {} });

const emptyWindow = () => ({
  colors: { blue: emptyTally(), green: emptyTally() } satisfies Record<Color, Tally>,
  callers: {} as Record<string, number>,
  failures: {} as Partial<Record<Failure, number>>,
  pulses: [] as Pulse[],
  dropped: 0,
  sessionsEnded: 0,
});
