import type { DatabaseSync, StatementSync } from "node:sqlite";
import { ownerOf, ownerOfColumn } from "../owner.ts";
import { repeated, type Outcome, type Write } from "../store.ts";
import {
  MAX_OWNED,
  MAX_REFUSALS,
  OWNER_IS_FULL,
  type QueuedWrite,
  type QueueStats,
  type Settlement,
} from "../write-queue.ts";

/** Writes that may wait. At their largest they take about 650 MB. */
const MAX_DEPTH = 10_000;

const TABLES = `
  CREATE TABLE IF NOT EXISTS queue (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    idempotency_key TEXT NOT NULL UNIQUE,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    digest TEXT NOT NULL,
    version INTEGER NOT NULL,
    refusals INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  CREATE INDEX IF NOT EXISTS queue_by_refusals ON queue (refusals);
  CREATE INDEX IF NOT EXISTS queue_by_owner ON queue (${ownerOfColumn("key")});
  CREATE TABLE IF NOT EXISTS dead_letters (
    id INTEGER PRIMARY KEY,
    idempotency_key TEXT NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    version INTEGER NOT NULL,
    reason TEXT NOT NULL
  ) STRICT;
`;

/**
 * The writes that wait for the store, in order. All processes on one volume share it, so another
 * process continues after a crash. The caller runs each method in a transaction.
 */
export class Journal {
  readonly #seen: StatementSync;
  readonly #append: StatementSync;
  readonly #oldest: StatementSync;
  readonly #remove: StatementSync;
  readonly #countRefusal: StatementSync;
  readonly #bury: StatementSync;
  readonly #depth: StatementSync;
  readonly #first: StatementSync;
  readonly #deadLetters: StatementSync;
  readonly #owned: StatementSync;

  constructor(database: DatabaseSync) {
    database.exec(TABLES);
    this.#seen = database.prepare("SELECT digest, version FROM queue WHERE idempotency_key = ?");
    this.#append = database.prepare(
      "INSERT INTO queue (idempotency_key, key, value, digest, version) VALUES (?, ?, ?, ?, ?)",
    );
    // Refused writes come last, so that they do not block others.
    this.#oldest = database.prepare(`
      SELECT id, idempotency_key AS idempotencyKey, key, value, digest, version FROM queue
      ORDER BY refusals, id LIMIT ?`);
    this.#remove = database.prepare("DELETE FROM queue WHERE id = ?");
    this.#countRefusal = database.prepare("UPDATE queue SET refusals = refusals + 1 WHERE id = ? RETURNING refusals");
    this.#bury = database.prepare(`
      INSERT INTO dead_letters (id, idempotency_key, key, value, version, reason)
      SELECT id, idempotency_key, key, value, version, ? FROM queue WHERE id = ?`);
    // Without reading values, which may have hundreds of megabytes: each new write runs these.
    this.#depth = database.prepare("SELECT count(*) AS depth FROM queue");
    this.#owned = database.prepare(`SELECT count(*) AS owned FROM queue WHERE ${ownerOfColumn("key")} = ?`);
    this.#first = database.prepare("SELECT version FROM queue ORDER BY id LIMIT 1");
    this.#deadLetters = database.prepare("SELECT count(*) AS deadLetters FROM dead_letters");
  }

  /** Refuses writes for which it has no room: it is the last queue. */
  add(write: Write): Outcome {
    const { key, value, idempotencyKey, digest, version } = write;
    const before = this.#seen.get(idempotencyKey);
    if (before !== undefined)
      return repeated({ digest: String(before.digest), version: Number(before.version) }, write);
    const owner = ownerOf(key);
    if (owner !== "" && Number(this.#owned.get(owner)?.owned) >= MAX_OWNED)
      return { kind: "refused", reason: OWNER_IS_FULL };
    if (this.#count() >= MAX_DEPTH)
      return {
        kind: "refused",
        reason: `${MAX_DEPTH} writes wait for the store already, which is down: try again later`,
      };
    this.#append.run(idempotencyKey, key, value, digest, version);
    return { kind: "taken", version, replayed: false };
  }

  take(limit: number): readonly QueuedWrite[] {
    return this.#oldest.all(limit).map((row) => ({
      id: String(row.id),
      write: {
        key: String(row.key),
        value: String(row.value),
        idempotencyKey: String(row.idempotencyKey),
        digest: String(row.digest),
        version: Number(row.version),
      },
    }));
  }

  settle({ taken, refused }: Settlement): QueueStats {
    for (const id of taken) this.#remove.run(id);
    for (const { id, reason } of refused) {
      const row = this.#countRefusal.get(id);
      if (row === undefined || Number(row.refusals) < MAX_REFUSALS) continue;
      this.#bury.run(reason, id);
      this.#remove.run(id);
    }
    return this.#stats();
  }

  #stats(): QueueStats {
    const oldest = this.#first.get()?.version;
    return {
      depth: this.#count(),
      oldest: oldest === undefined ? undefined : Number(oldest),
      deadLetters: Number(this.#deadLetters.get()?.deadLetters ?? 0),
    };
  }

  #count(): number {
    return Number(this.#depth.get()?.depth ?? 0);
  }
}
