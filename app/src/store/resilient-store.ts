import { randomUUID } from "node:crypto";
import { z } from "zod";
import { keyOf } from "../cache/key.ts";
import { ToolInputError } from "../errors/tool-input-error.ts";
import { parseExactly, stringifyExactly } from "../json/exact.ts";
import type { Breaker } from "../resilience/breaker.ts";
import { PLAIN_CALL, type Call } from "../resilience/call.ts";
import { Deadline, within } from "../resilience/deadline.ts";
import { isProgrammingError } from "../resilience/programming-error.ts";
import { SYSTEM_TIME } from "../resilience/time.ts";
import { acceptedAt, HybridLogicalClock } from "./hybrid-logical-clock.ts";
import { inNamespace } from "./owner.ts";
import { DURABILITIES, type Outcome, type Store, type Write } from "./store.ts";
import type { WriteQueue } from "./write-queue.ts";

/** Bytes of a value as JSON. */
export const MAX_VALUE_BYTES = 64 * 1024;

/** Time limit of each queue in milliseconds: a disk may be slow. */
const QUEUE_TIMEOUT = { redis: 250, journal: 5000 };

export interface WriteRequest {
  /** Owner of the record. @default - principals are not distinguished */
  readonly principal?: string;
  readonly key: string;
  /** Any JSON value. */
  readonly value: unknown;
  /** @default - a new one */
  readonly idempotencyKey?: string | undefined;
}

/** Keys of a write as its caller knows them. */
type Named = Pick<Receipt, "key" | "idempotencyKey">;

export interface ReadRecord {
  readonly value: unknown;
  /** ISO 8601, UTC. */
  readonly acceptedAt: string;
  /** How many writes have changed it. */
  readonly revision: number;
}

/** The receipt of a write that will not be lost, within its durability. */
export const receipt = z.object({
  key: z.string(),
  idempotencyKey: z.string().describe("Call again with it to repeat this very write without making it twice"),
  status: z.enum(["stored", "queued"]).describe("queued: the store is down and gets the write when it is back"),
  where: z.enum(["store", "redis", "journal"]),
  durability: z.enum(DURABILITIES).describe("What the write outlives where it is now"),
  acceptedAt: z.string().describe("ISO 8601, UTC. Of two writes under one key, the one accepted later stays"),
  replayed: z.boolean().describe("Whether this write had been accepted before, by an earlier call"),
});

export type Receipt = Readonly<z.output<typeof receipt>>;

export interface ResilientStoreOptions {
  readonly store: Store;
  readonly breaker: Breaker;
  /** Queues for writes that the store does not take, in order of preference. */
  readonly queues: readonly WriteQueue[];
  /** @default - by the system's clock */
  readonly clock?: HybridLogicalClock;
}

/**
 * Writes to the store, or to the first queue that takes the write. The receipt names the place and
 * its durability. A write without a receipt may have been made: the client can repeat it with an
 * idempotency key.
 */
export class ResilientStore {
  readonly #options: ResilientStoreOptions;
  readonly #clock: HybridLogicalClock;
  readonly #deferred = { redis: 0, journal: 0 };

  constructor(options: ResilientStoreOptions) {
    this.#options = options;
    this.#clock = options.clock ?? new HybridLogicalClock();
  }

  /** Writes that each queue has taken from this process. */
  get deferred(): Readonly<Record<WriteQueue["name"], number>> {
    return this.#deferred;
  }

  /**
   * @throws ToolInputError when the value or the principal's usage is too large, or the idempotency
   *   key belongs to another write
   * @throws a programming error, for which no queue is used
   * @throws the error of the store or of the last queue
   */
  async write(request: WriteRequest, call: Call = PLAIN_CALL): Promise<Receipt> {
    const { store, breaker } = this.#options;
    const { key, idempotencyKey = randomUUID() } = request;
    const named = { key, idempotencyKey };
    const write = this.#accept(named, request);
    try {
      const outcome = await breaker.execute(
        (inner) => within((limited) => store.put(write, limited), inner, this.#forStore(call), SYSTEM_TIME),
        call,
      );
      return this.#receipt(named, outcome, { status: "stored", where: "store", durability: store.durability });
    } catch (error) {
      if (error instanceof ToolInputError || isProgrammingError(error) || call.cancelled) throw error;
      return await this.#defer(named, write, error, call);
    }
  }

  /**
   * Reads a record, without writes that wait in queues.
   *
   * @throws the store's error
   */
  async read(principal: string, key: string, call: Call = PLAIN_CALL): Promise<ReadRecord | undefined> {
    const { store, breaker } = this.#options;
    const record = await breaker.execute((inner) => store.get(inNamespace(principal, key), inner), call);
    if (record === undefined) return undefined;
    const { value, version, revision } = record;
    return { value: parseExactly(value), acceptedAt: acceptedAt(version), revision };
  }

  /** Milliseconds for the store: the call's time minus the time for queues. */
  #forStore({ deadline }: Call): number {
    const forQueues = this.#options.queues.reduce((sum, { name }) => sum + QUEUE_TIMEOUT[name], 0);
    const left = deadline - SYSTEM_TIME.now() - forQueues;
    return left > 0 ? left : Infinity;
  }

  async #defer(named: Named, write: Write, failure: unknown, call: Call): Promise<Receipt> {
    let last = failure;
    for (const queue of this.#options.queues) {
      if (!queue.available) continue;
      try {
        const deadline = new Deadline({ timeout: QUEUE_TIMEOUT[queue.name] });
        const outcome = await deadline.execute((inner) => queue.add(write, inner), call);
        this.#deferred[queue.name] += 1;
        const details = { queue: queue.name };
        call.trace?.decided({ policy: "fallback", name: "store", decision: "deferred", details });
        return this.#receipt(named, outcome, { status: "queued", where: queue.name, durability: outcome.durability });
      } catch (error) {
        if (error instanceof ToolInputError || isProgrammingError(error) || call.cancelled) throw error;
        last = error;
      }
    }
    throw last;
  }

  #accept({ key, idempotencyKey }: Named, { value, principal = "" }: WriteRequest): Write {
    const text = stringifyExactly(value, numberTooLarge);
    const bytes = Buffer.byteLength(text);
    if (bytes > MAX_VALUE_BYTES)
      throw new ToolInputError(
        `'value' has ${bytes} bytes as JSON; at most ${MAX_VALUE_BYTES} can be stored under a key`,
      );
    return {
      key: inNamespace(principal, key),
      value: text,
      idempotencyKey: inNamespace(principal, idempotencyKey),
      digest: keyOf([key, value]),
      version: this.#clock.next(),
    };
  }

  #receipt(
    { key, idempotencyKey }: Named,
    outcome: Outcome,
    place: Pick<Receipt, "status" | "where" | "durability">,
  ): Receipt {
    if (outcome.kind === "refused")
      throw new ToolInputError(`The write under '${key}' was refused: ${outcome.reason}.`);
    const { version, replayed } = outcome;
    this.#clock.observe(version);
    return { key, idempotencyKey, ...place, acceptedAt: acceptedAt(version), replayed };
  }
}

const numberTooLarge = () =>
  new ToolInputError("'value' has a number in it that is too large to be stored: write it as a string");
