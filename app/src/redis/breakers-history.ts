import { z } from "zod";
import type { BreakerHistory, HistoryEntry } from "../resilience/breaker-history.ts";
import { BREAKER_STATES, TRANSITION_REASONS } from "../resilience/breaker-options.ts";
import { warnOfProgrammingError } from "../resilience/programming-error.ts";
import { keyOf } from "./breakers-protocol.ts";
import type { SharedBreakers } from "./breakers.ts";
import type { Redis } from "./redis.ts";

/** Entries that are read; Redis keeps about 1,000. */
const MAX_ENTRIES = 200;

const entrySchema = z.object({
  breaker: z.string(),
  from: z.enum(BREAKER_STATES),
  to: z.enum(BREAKER_STATES),
  reason: z.enum(TRANSITION_REASONS),
  pod: z.string(),
  epoch: z.coerce.number(),
});

const streamSchema = z.array(z.tuple([z.string(), z.array(z.string())]));

/**
 * Transitions of all pods, and this pod's own transitions.
 *
 * Answers at once with the entries that it has, and reads them again in the background after a
 * change. While pods do not share their state, it contains only this pod's transitions.
 */
export class SharedBreakerHistory implements BreakerHistory {
  readonly #shared: SharedBreakers;
  readonly #redis: Redis;
  readonly #local: BreakerHistory;
  #entries: readonly HistoryEntry[] = [];
  #isReading = false;
  #isOutdated = false;

  constructor(shared: SharedBreakers, redis: Redis, local: BreakerHistory) {
    this.#shared = shared;
    this.#redis = redis;
    this.#local = local;
    shared.changes.on(() => {
      void this.#readAll();
    });
  }

  get entries(): readonly HistoryEntry[] {
    if (!this.#shared.isShared) return this.#local.entries;
    const { pod } = this.#shared;
    const own = this.#local.entries.filter(({ reason }) => reason !== "cluster").map((entry) => ({ ...entry, pod }));
    return [...this.#entries, ...own].sort((one, other) => Date.parse(one.at) - Date.parse(other.at));
  }

  async #readAll(): Promise<void> {
    this.#isOutdated = true;
    if (this.#isReading) return;
    this.#isReading = true;
    while (this.#isOutdated) {
      this.#isOutdated = false;
      // After a failure, the next change reads again.
      await this.#read().catch(warnOfProgrammingError);
    }
    this.#isReading = false;
  }

  async #read(): Promise<void> {
    const reply = await this.#redis.command([
      "XREVRANGE",
      keyOf(this.#redis, this.#shared.group, "history"),
      "+",
      "-",
      "COUNT",
      String(MAX_ENTRIES),
    ]);
    this.#entries = streamSchema
      .parse(reply)
      .reverse()
      .flatMap(([id, fields]) => entryOf(id, fields));
  }
}

/** Ignores entries that another version of this program may have written. */
function entryOf(id: string, fields: readonly string[]): HistoryEntry[] {
  const values: Record<string, string> = {};
  for (let index = 0; index < fields.length; index += 2) values[fields[index] ?? ""] = fields[index + 1] ?? "";
  const { success, data } = entrySchema.safeParse(values);
  return success ? [{ at: new Date(Number.parseInt(id, 10)).toISOString(), ...data }] : [];
}
