import type { DatabaseSync, StatementSync } from "node:sqlite";
import { repeated, type Outcome, type StoredRecord, type Write } from "../store.ts";
import { Usage } from "./usage.ts";

/** Microseconds for which an idempotency key is remembered: a week. */
const REMEMBERED = 7 * 24 * 3600 * 1_000_000;

const TABLES = `
  CREATE TABLE IF NOT EXISTS records (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL,
    version INTEGER NOT NULL,
    idempotency_key TEXT NOT NULL,
    revision INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS writes (
    idempotency_key TEXT PRIMARY KEY,
    digest TEXT NOT NULL,
    version INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX IF NOT EXISTS writes_by_version ON writes (version);
`;

/** The records and the writes that were made. The caller runs each method in a transaction. */
export class Records {
  readonly #seen: StatementSync;
  readonly #versionOf: StatementSync;
  readonly #remember: StatementSync;
  readonly #forget: StatementSync;
  readonly #write: StatementSync;
  readonly #read: StatementSync;
  readonly #usage: Usage;

  /** @param quota - bytes that the records of one owner may take */
  constructor(database: DatabaseSync, quota: number) {
    database.exec(TABLES);
    this.#usage = new Usage(database, quota);
    this.#seen = database.prepare("SELECT digest, version FROM writes WHERE idempotency_key = ?");
    this.#versionOf = database.prepare("SELECT version FROM records WHERE key = ?");
    this.#remember = database.prepare("INSERT INTO writes (idempotency_key, digest, version) VALUES (?, ?, ?)");
    // Two for each new write, so that no write deletes many.
    this.#forget = database.prepare(`
      DELETE FROM writes WHERE idempotency_key IN (
        SELECT idempotency_key FROM writes WHERE version < ? ORDER BY version LIMIT 2
      )`);
    this.#write = database.prepare(`
      INSERT INTO records (key, value, version, idempotency_key, revision) VALUES (?, ?, ?, ?, 1)
      ON CONFLICT (key) DO UPDATE SET
        value = excluded.value,
        version = excluded.version,
        idempotency_key = excluded.idempotency_key,
        revision = revision + 1
      WHERE (excluded.version, excluded.idempotency_key) > (version, idempotency_key)`);
    this.#read = database.prepare(
      "SELECT value, version, idempotency_key AS idempotencyKey, revision FROM records WHERE key = ?",
    );
  }

  /** Takes a new write, which follows all earlier writes of its record. */
  put(write: Write): Outcome {
    const before = this.#seenBefore(write);
    if (before !== undefined) return before;
    const reason = this.#usage.refusal(write);
    if (reason !== undefined) return { kind: "refused", reason };
    return this.#take(write, Math.max(write.version, this.#version(write.key) + 1));
  }

  /** Takes a write that was accepted earlier: no quota applies, and a later write stays. */
  replay(write: Write): Outcome {
    return this.#seenBefore(write) ?? this.#take(write, write.version);
  }

  get(key: string): StoredRecord | undefined {
    const row = this.#read.get(key);
    if (row === undefined) return undefined;
    return {
      value: String(row.value),
      version: Number(row.version),
      idempotencyKey: String(row.idempotencyKey),
      revision: Number(row.revision),
    };
  }

  #version(key: string): number {
    return Number(this.#versionOf.get(key)?.version ?? 0);
  }

  #seenBefore(write: Write): Outcome | undefined {
    const before = this.#seen.get(write.idempotencyKey);
    return before && repeated({ digest: String(before.digest), version: Number(before.version) }, write);
  }

  #take(write: Write, version: number): Outcome {
    const { key, value, idempotencyKey, digest } = write;
    this.#remember.run(idempotencyKey, digest, version);
    this.#write.run(key, value, version, idempotencyKey);
    this.#forget.run(version - REMEMBERED);
    this.#usage.trim(write);
    return { kind: "taken", version, replayed: false };
  }
}
