import type { BreakerState, TransitionReason } from "./breaker-options.ts";
import type { BreakerRegistry } from "./breaker-registry.ts";

/** One change of a breaker's state. */
export interface HistoryEntry {
  /** ISO 8601, UTC. */
  readonly at: string;
  readonly breaker: string;
  readonly from: BreakerState;
  readonly to: BreakerState;
  readonly reason: TransitionReason;
  /** The pod that caused it, where pods share their state. */
  readonly pod?: string;
  /** Order among the decisions that pods made together. */
  readonly epoch?: number;
}

/** The latest transitions of all breakers. Answers at once with the entries that it has. */
export interface BreakerHistory {
  /** Oldest first. */
  readonly entries: readonly HistoryEntry[];
}

/** Remembers the latest transitions of all breakers of this process: some 200 bytes each. */
export class LocalBreakerHistory implements BreakerHistory {
  readonly #max: number;
  readonly #entries: HistoryEntry[] = [];

  /** @param max - transitions that are kept */
  constructor(breakers: BreakerRegistry, max = 200) {
    this.#max = max;
    breakers.onEach((breaker) => {
      breaker.events.on((event) => {
        if (event.type !== "transition") return;
        const { name, from, to, reason } = event;
        this.#add({ at: new Date().toISOString(), breaker: name, from, to, reason });
      });
    });
  }

  get entries(): readonly HistoryEntry[] {
    return this.#entries;
  }

  #add(entry: HistoryEntry): void {
    this.#entries.push(entry);
    if (this.#entries.length > this.#max) this.#entries.shift();
  }
}
