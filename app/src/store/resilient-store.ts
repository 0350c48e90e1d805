import { randomUUID } from "node:crypto";
import { keyOf } from "../cache/key.ts";
import { stringifyExactly } from "../json/exact.ts";
import type { Breaker } from "../resilience/breaker.ts";
import { PLAIN_CALL, type Call } from "../resilience/call.ts";
import { Deadline, within } from "../resilience/deadline.ts";
import { isProgrammingError } from "../resilience/programming-error.ts";
import { SYSTEM_TIME } from "../resilience/time.ts";
import { CallerMistake } from "../tools/tool.ts";
import type { Durability, Outcome, Store, Write } from "./store.ts";
import { acceptedAt, Versions } from "./versions.ts";
import type { WriteQueue } from "./write-queue.ts";

/** Bytes of a value as JSON. */
export const MAX_VALUE_BYTES = 64 * 1024;

/** Milliseconds that each queue has to take a write. Redis answers within one or two, or not for a while; a disk may be slow and still there. */
const QUEUE_TIMEOUT = { redis: 250, journal: 5000 };

export interface WriteRequest {
  readonly key: string;
  /** Anything that JSON can say. */
  readonly value: unknown;
  /** @default - a new one */
  readonly idempotencyKey?: string | undefined;
}

/** Says that a write will not be lost, short of what its durability does not cover. */
export interface Receipt {
  readonly key: string;
  readonly idempotencyKey: string;
  /** `queued`: another process or this one brings it to the store. */
  readonly status: "stored" | "queued";
  readonly where: "store" | "redis" | "journal";
  readonly durability: Durability;
  /** ISO 8601, UTC. Of two writes to one record, the one that was accepted later stays. */
  readonly acceptedAt: string;
  /** Whether this is the receipt of an earlier call with the same idempotency key. */
  readonly replayed: boolean;
}

export interface ResilientStoreOptions {
  readonly store: Store;
  readonly breaker: Breaker;
  /** Which take a write that the store does not, in the order in which they are asked. */
  readonly queues: readonly WriteQueue[];
  /** @default - by the system's clock */
  readonly versions?: Versions;
}

/**
 * Takes a write, whatever the store does: into the store, or else into the first queue that takes it. The receipt says which, and what
 * that place promises. What gets no receipt may have been written all the same; who has to know gives an idempotency key and asks again.
 */
export class ResilientStore {
  readonly #options: ResilientStoreOptions;
  readonly #versions: Versions;
  readonly #deferred = { redis: 0, journal: 0 };

  constructor(options: ResilientStoreOptions) {
    this.#options = options;
    this.#versions = options.versions ?? new Versions();
  }

  /** Writes that each queue has taken from this process. */
  get deferred(): Readonly<Record<WriteQueue["name"], number>> {
    return this.#deferred;
  }

  /**
   * @throws CallerMistake when the value is too large, or the idempotency key stands for another write already
   * @throws a programming error, which no queue stands in for
   * @throws what the store or the last queue failed with, where nothing took the write
   */
  async write(request: WriteRequest, call: Call = PLAIN_CALL): Promise<Receipt> {
    const { store, breaker } = this.#options;
    const write = this.#accept(request);
    try {
      const outcome = await breaker.execute(
        (inner) => within((limited) => store.put(write, limited), inner, this.#forStore(call), SYSTEM_TIME),
        call,
      );
      return this.#receipt(write, outcome, { status: "stored", where: "store", durability: store.durability });
    } catch (error) {
      if (error instanceof CallerMistake || isProgrammingError(error) || call.cancelled) throw error;
      return await this.#defer(write, error, call);
    }
  }

  /** Milliseconds that the store may have of a call's time, whatever its breaker allows, so that the queues have theirs. */
  #forStore({ deadline }: Call): number {
    const forQueues = this.#options.queues.reduce((sum, { name }) => sum + QUEUE_TIMEOUT[name], 0);
    const left = deadline - SYSTEM_TIME.now() - forQueues;
    return left > 0 ? left : Infinity;
  }

  async #defer(write: Write, failure: unknown, call: Call): Promise<Receipt> {
    let last = failure;
    for (const queue of this.#options.queues) {
      if (!queue.available) continue;
      try {
        const deadline = new Deadline({ timeout: QUEUE_TIMEOUT[queue.name] });
        const outcome = await deadline.execute((inner) => queue.add(write, inner), call);
        this.#deferred[queue.name] += 1;
        const details = { queue: queue.name };
        call.trace?.decided({ policy: "fallback", name: "store", decision: "deferred", details });
        return this.#receipt(write, outcome, { status: "queued", where: queue.name, durability: outcome.durability });
      } catch (error) {
        if (error instanceof CallerMistake || isProgrammingError(error) || call.cancelled) throw error;
        last = error;
      }
    }
    throw last;
  }

  #accept({ key, value, idempotencyKey = randomUUID() }: WriteRequest): Write {
    const text = stringifyExactly(value, numberTooLarge);
    const bytes = Buffer.byteLength(text);
    if (bytes > MAX_VALUE_BYTES)
      throw new CallerMistake(
        `'value' has ${bytes} bytes as JSON; at most ${MAX_VALUE_BYTES} can be stored under a key`,
      );
    return { key, value: text, idempotencyKey, digest: keyOf([key, value]), version: this.#versions.next() };
  }

  #receipt(
    { key, idempotencyKey }: Write,
    outcome: Outcome,
    place: Pick<Receipt, "status" | "where" | "durability">,
  ): Receipt {
    if (outcome.kind === "refused") throw new CallerMistake(`The write under '${key}' was refused: ${outcome.reason}.`);
    const { version, replayed } = outcome;
    this.#versions.see(version);
    return { key, idempotencyKey, ...place, acceptedAt: acceptedAt(version), replayed };
  }
}

const numberTooLarge = () =>
  new CallerMistake("'value' has a number in it that is too large to be stored: write it as a string");
