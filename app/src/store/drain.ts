import type { Breaker } from "../resilience/breaker.ts";
import { PLAIN_CALL } from "../resilience/call.ts";
import { within } from "../resilience/deadline.ts";
import { Emitter } from "../resilience/emitter.ts";
import { Rejected } from "../resilience/rejection.ts";
import { SYSTEM_TIME } from "../resilience/time.ts";
import type { DurableStore } from "./store.ts";
import type { QueueStats, WriteQueue } from "./write-queue.ts";

const BATCH = 100;

/** Milliseconds between two checks of a queue, which other processes may have added to. */
const LOOK_EVERY = 2000;

/** Milliseconds that closing waits for a batch. */
const CLOSE_TIMEOUT = 1000;

export interface DrainOptions {
  readonly queue: WriteQueue;
  readonly store: DurableStore;
  readonly breaker: Breaker;
  /** 0 to 1, excluding 1, so that pods do not check at the same time. @default Math.random */
  readonly random?: () => number;
}

export type DrainEvent =
  | { readonly type: "drained"; readonly queue: WriteQueue["name"]; readonly writes: number }
  | { readonly type: "refused"; readonly queue: WriteQueue["name"]; readonly key: string; readonly reason: string }
  /** Emitted once until a batch succeeds. */
  | { readonly type: "failed"; readonly queue: WriteQueue["name"]; readonly error: unknown };

/**
 * Moves queued writes to the store as soon as it is available, also writes that other processes
 * have queued.
 *
 * It uses the store's breaker. While the breaker is open, it does nothing; after the recovery time
 * it is a probe, so that a recovery is detected without calls.
 */
export class Drain {
  readonly events = new Emitter<DrainEvent>();
  readonly #options: DrainOptions;
  readonly #random: () => number;
  readonly #forget: () => void;
  #stats: QueueStats = { depth: 0, oldest: undefined, deadLetters: 0 };
  #timer: NodeJS.Timeout | undefined;
  #round: Promise<void> | undefined;
  /** Whether the breaker has closed since the current round began. */
  #isAwaited = false;
  #failing = false;
  #closed = false;

  constructor(options: DrainOptions) {
    this.#options = options;
    this.#random = options.random ?? Math.random;
    this.#forget = options.breaker.events.on((event) => {
      if (event.type !== "transition" || event.to !== "closed") return;
      this.#isAwaited = true;
      this.#lookIn(0);
    });
    this.#lookIn(0);
  }

  get queue(): WriteQueue["name"] {
    return this.#options.queue.name;
  }

  /** As of the last check. */
  get stats(): QueueStats {
    return this.#stats;
  }

  /** Waits for the current batch, within a time limit. Other processes continue with the rest. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#forget();
    clearTimeout(this.#timer);
    const round = this.#round ?? Promise.resolve();
    await within(() => round, PLAIN_CALL, CLOSE_TIMEOUT, SYSTEM_TIME).catch(() => undefined);
  }

  #lookIn(milliseconds: number): void {
    clearTimeout(this.#timer);
    if (this.#closed || this.#round !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#isAwaited = false;
      this.#round = this.#look().then((next) => {
        this.#round = undefined;
        this.#lookIn(this.#isAwaited ? 0 : next);
      });
    }, milliseconds).unref();
  }

  /** Resolves with the milliseconds until the next check. */
  async #look(): Promise<number> {
    const { queue, breaker } = this.#options;
    const later = LOOK_EVERY * (0.8 + 0.4 * this.#random());
    const { state, retryAfterMs } = breaker.stats;
    if (!queue.available) return later;
    if (state === "open" && retryAfterMs > 0) {
      await this.#count();
      return Math.min(retryAfterMs, later);
    }
    try {
      const more = await this.#bring();
      this.#failing = false;
      return more ? 0 : later;
    } catch (error) {
      const isNews = !this.#failing && !(error instanceof Rejected);
      this.#failing = true;
      if (isNews) this.events.emit({ type: "failed", queue: queue.name, error });
      await this.#count();
      return Math.min(breaker.stats.retryAfterMs || later, later);
    }
  }

  /** Updates the statistics while no writes can be moved. */
  async #count(): Promise<void> {
    try {
      this.#stats = await this.#options.queue.settle({ taken: [], refused: [] });
    } catch {
      // The last statistics stay.
    }
  }

  /** Resolves with whether there may be more writes. */
  async #bring(): Promise<boolean> {
    const { queue, breaker, store } = this.#options;
    const waiting = await queue.take(BATCH);
    const writes = waiting.map(({ write }) => write);
    const bringing = breaker.execute(
      // A ping also with an empty queue, so that health detects a failing store without calls.
      (call) => (writes.length > 0 ? store.replay(writes, call) : store.ping(call).then(() => [])),
    );
    const outcomes = await bringing.catch(async (error: unknown) => {
      // If this fails as well, the writes are offered again after a time limit.
      if (writes.length > 0) await queue.giveBack(waiting.map(({ id }) => id)).catch(() => undefined);
      throw error;
    });

    const taken: string[] = [];
    const refused: { id: string; reason: string }[] = [];
    for (const [index, { id, write }] of waiting.entries()) {
      const outcome = outcomes[index];
      if (outcome?.kind === "taken") taken.push(id);
      if (outcome?.kind !== "refused") continue;
      refused.push({ id, reason: outcome.reason });
      this.events.emit({ type: "refused", queue: queue.name, key: write.key, reason: outcome.reason });
    }
    this.#stats = await queue.settle({ taken, refused });
    if (taken.length > 0) this.events.emit({ type: "drained", queue: queue.name, writes: taken.length });
    return taken.length > 0;
  }
}
