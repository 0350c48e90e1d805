import { setTimeout as sleep } from "node:timers/promises";
import { openCaller, type Arrival, type Caller, type CallerKind } from "./caller.ts";
import { failureOf, messageOf } from "./failure.ts";
import type { Question } from "./question.ts";
import type { Sampler } from "./sampler.ts";

export interface CallersOptions extends CallerKind {
  readonly url: URL;
  readonly sampler: Pick<Sampler, "answered" | "failed" | "dropped" | "sessionEnded">;
  /**
   * Whether its calls time switches: each on a connection of its own, at a cost that is the same in
   * every version.
   *
   * @default false
   */
  readonly isPulse?: boolean;
  /** Ends the callers; calls under way are finished. */
  readonly signal: AbortSignal;
  /** Clients that are there from the beginning. */
  readonly least: number;
  /** Clients at most, and so calls in flight. */
  readonly most: number;
  /** Calls at most that wait in line. */
  readonly line: number;
  /** What to ask next. */
  next(): Question;
}

/**
 * After these many calls a client leaves and another takes its place, so that handshakes, too,
 * cross a switch.
 */
const CALLS_PER_CLIENT = 100;

const RECONNECT_MS = 100;

/**
 * Callers of one kind. An arrival goes to the caller that has been idle longest, or to a new one,
 * or waits in line where there may be no more callers. The time in line counts: its latency begins
 * at its arrival.
 *
 * The bounds protect the machine: without them, a version that stops answering would get a
 * connection for every arrival, and a machine that is too slow for the rate would never be done
 * with the line. An arrival that finds the line full is dropped, and counted as such.
 */
export class Callers {
  readonly #options: CallersOptions;
  readonly #line: Arrival[] = [];
  readonly #idle: ((arrival: Arrival | undefined) => void)[] = [];
  readonly #working: Promise<void>[] = [];
  #size = 0;
  #busy = 0;

  constructor(options: CallersOptions) {
    this.#options = options;
    options.signal.addEventListener("abort", () => {
      this.#line.length = 0;
      for (const resolve of this.#idle.splice(0)) resolve(undefined);
    });
  }

  /** Calls that have arrived and have no answer yet. */
  get unanswered(): number {
    return this.#line.length + this.#busy;
  }

  /**
   * Opens the first clients. Resolves once each of them has connected, or the signal has aborted.
   */
  async open(): Promise<void> {
    const first = Array.from({ length: this.#options.least }, async () => {
      await new Promise<void>((connected) => {
        this.#start(connected);
      });
    });
    await Promise.all(first);
  }

  /** @param at when the call was to arrive, on the clock of `performance.now()` */
  readonly arrive = (at: number): void => {
    const arrival = { at, question: this.#options.next() };
    const idle = this.#idle.shift();
    if (idle !== undefined) {
      idle(arrival);
      return;
    }
    if (this.#line.length < this.#options.line) this.#line.push(arrival);
    else this.#options.sampler.dropped();
    if (this.#size < this.#options.most) this.#start();
  };

  /** Resolves when every call under way has ended. For use once the signal has aborted. */
  async ended(): Promise<void> {
    await Promise.all(this.#working);
  }

  #start(connected?: () => void): void {
    this.#size += 1;
    this.#working.push(this.#work(connected).finally(connected));
  }

  /** One client after the other, until stopped. */
  async #work(connected?: () => void): Promise<void> {
    const { signal, sampler } = this.#options;
    /** A call whose session the server no longer knew. */
    let again: Arrival | undefined;
    while (!signal.aborted) {
      await using caller = await this.#connect();
      connected?.();
      for (let calls = 0; calls < CALLS_PER_CLIENT && caller !== undefined; calls++) {
        const arrival = again ?? (await this.#next());
        again = undefined;
        if (arrival === undefined) return;
        this.#busy += 1;
        const ended = (await caller.ask(arrival)) === "session ended";
        this.#busy -= 1;
        if (!ended) continue;
        sampler.sessionEnded();
        again = arrival;
        break;
      }
    }
  }

  /**
   * Opens a client, and tries again until stopped. Each try that fails is a failed call, of the
   * next in line if any.
   */
  async #connect(): Promise<Caller | undefined> {
    const { signal, sampler, era, connection } = this.#options;
    while (!signal.aborted) {
      const opened = await openCaller(this.#options);
      if (opened.ok) return opened.caller;
      this.#line.shift();
      const { error, broken, responder } = opened;
      sampler.failed({
        caller: `${connection} ${era}`,
        failure: failureOf(error, broken),
        message: messageOf(error),
        ...responder,
      });
      await sleep(RECONNECT_MS, undefined, { signal }).catch(() => undefined);
    }
    return undefined;
  }

  #next(): Promise<Arrival | undefined> | Arrival | undefined {
    if (this.#options.signal.aborted) return undefined;
    return this.#line.shift() ?? new Promise((resolve) => this.#idle.push(resolve));
  }
}
