import type { DatabaseSync, StatementSync } from "node:sqlite";
import { overQuota, ownerOf, ownerOfColumn } from "../owner.ts";
import { repeated, type Outcome, type StoredRecord, type Write } from "../store.ts";

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

/** Bytes of a record in SQL, with what SQLite keeps about it. */
const sizeOf = (row: string) => `(100 + octet_length(${row}.key) + octet_length(${row}.value))`;

const add = (row: string, sign: "+" | "-") => `
  INSERT INTO usage (owner, bytes) VALUES (${ownerOfColumn(`${row}.key`)}, ${sign}${sizeOf(row)})
  ON CONFLICT (owner) DO UPDATE SET bytes = bytes + excluded.bytes;`;

/** Bytes per owner. Triggers keep the sums right while the previous version writes to the file, too. */
const USAGE = `
  CREATE TABLE usage (owner TEXT PRIMARY KEY, bytes INTEGER NOT NULL) STRICT;
  INSERT INTO usage (owner, bytes) SELECT ${ownerOfColumn("key")}, sum(${sizeOf("records")}) FROM records GROUP BY 1;
  CREATE TRIGGER usage_insert AFTER INSERT ON records BEGIN ${add("new", "+")} END;
  CREATE TRIGGER usage_update AFTER UPDATE ON records BEGIN ${add("old", "-")} ${add("new", "+")} END;
`;

/** The records, and the writes that they have seen. Everything here runs inside a transaction of its caller. */
export class Records {
  readonly #seen: StatementSync;
  readonly #versionOf: StatementSync;
  readonly #remember: StatementSync;
  readonly #forget: StatementSync;
  readonly #write: StatementSync;
  readonly #read: StatementSync;
  readonly #growth: StatementSync;
  readonly #quota: number;

  /** @param quota - bytes that the records of one owner may take */
  constructor(database: DatabaseSync, quota: number) {
    this.#quota = quota;
    database.exec(TABLES);
    if (database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'usage'").get() === undefined) database.exec(USAGE);
    this.#growth = database.prepare(`
      SELECT
        (SELECT bytes FROM usage WHERE owner = :owner) AS used,
        (SELECT ${sizeOf("records")} FROM records WHERE key = :key) AS before,
        100 + octet_length(:key) + octet_length(:value) AS after`);
    this.#seen = database.prepare("SELECT digest, version FROM writes WHERE idempotency_key = ?");
    this.#versionOf = database.prepare("SELECT version FROM records WHERE key = ?");
    this.#remember = database.prepare("INSERT INTO writes (idempotency_key, digest, version) VALUES (?, ?, ?)");
    // Two for each that comes: all that is due goes by and by, and no write pays for many.
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

  /** A write that is accepted now: it follows all that its record has seen. */
  put(write: Write): Outcome {
    const { key, version } = write;
    return (
      this.#seenBefore(write) ??
      this.#beyondQuota(write) ??
      this.#take(write, Math.max(version, this.#version(key) + 1))
    );
  }

  /** A write that was accepted earlier: no quota applies, and a later one that came first stays. */
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

  /** A write that makes its owner's records smaller is never beyond it. */
  #beyondQuota({ key, value }: Write): Outcome | undefined {
    const row = this.#growth.get({ owner: ownerOf(key), key, value });
    const [used, before, after] = [row?.used, row?.before, row?.after].map((bytes) => Number(bytes ?? 0)) as [
      number,
      number,
      number,
    ];
    const bytes = used - before + after;
    if (after <= before || bytes <= this.#quota) return undefined;
    return { kind: "refused", reason: overQuota(bytes, this.#quota) };
  }

  #take({ key, value, idempotencyKey, digest }: Write, version: number): Outcome {
    this.#remember.run(idempotencyKey, digest, version);
    this.#write.run(key, value, version, idempotencyKey);
    this.#forget.run(version - REMEMBERED);
    return { kind: "taken", version, replayed: false };
  }
}
