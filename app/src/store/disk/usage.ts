import type { DatabaseSync, StatementSync } from "node:sqlite";
import { overQuota, ownerOf, ownerOfColumn } from "../owner.ts";
import type { Write } from "../store.ts";

/** Writes of one owner that are remembered by their idempotency key. */
const MAX_REMEMBERED = 100_000;

/** Bytes of a record in SQL, with its overhead in the file. */
const sizeOf = (row: string) => `(100 + octet_length(${row}.key) + octet_length(${row}.value))`;

const add = (row: string, sign: "+" | "-") => `
  INSERT INTO usage (owner, bytes) VALUES (${ownerOfColumn(`${row}.key`)}, ${sign}${sizeOf(row)})
  ON CONFLICT (owner) DO UPDATE SET bytes = bytes + excluded.bytes;`;

const count = (row: string, sign: "+" | "-") => `
  INSERT INTO usage (owner, writes) VALUES (${ownerOfColumn(`${row}.idempotency_key`)}, ${sign}1)
  ON CONFLICT (owner) DO UPDATE SET writes = writes + excluded.writes;`;

/**
 * Bytes of records and remembered writes by owner. Triggers also count writes of the previous
 * version of this app.
 */
const SCHEMA = `
  CREATE TABLE usage (owner TEXT PRIMARY KEY, bytes INTEGER NOT NULL DEFAULT 0, writes INTEGER NOT NULL DEFAULT 0) STRICT;
  INSERT INTO usage (owner, bytes) SELECT ${ownerOfColumn("key")}, sum(${sizeOf("records")}) FROM records GROUP BY 1;
  INSERT INTO usage (owner, writes) SELECT ${ownerOfColumn("idempotency_key")}, count(*) FROM writes WHERE true GROUP BY 1
    ON CONFLICT (owner) DO UPDATE SET writes = excluded.writes;
  CREATE INDEX writes_by_owner ON writes (${ownerOfColumn("idempotency_key")}, version);
  CREATE TRIGGER usage_insert AFTER INSERT ON records BEGIN ${add("new", "+")} END;
  CREATE TRIGGER usage_update AFTER UPDATE ON records BEGIN ${add("old", "-")} ${add("new", "+")} END;
  CREATE TRIGGER writes_insert AFTER INSERT ON writes BEGIN ${count("new", "+")} END;
  CREATE TRIGGER writes_delete AFTER DELETE ON writes BEGIN ${count("old", "-")} END;
`;

/** Usage and limits of each owner, so that no owner can fill the disk. */
export class Usage {
  readonly #quota: number;
  readonly #maxRemembered: number;
  readonly #growth: StatementSync;
  readonly #trim: StatementSync;

  /** @param quota - bytes that the records of one owner may take */
  constructor(database: DatabaseSync, quota: number, maxRemembered = MAX_REMEMBERED) {
    this.#quota = quota;
    this.#maxRemembered = maxRemembered;
    const isMade = database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'usage'").get() !== undefined;
    if (!isMade) database.exec(SCHEMA);
    this.#growth = database.prepare(`
      SELECT
        coalesce((SELECT bytes FROM usage WHERE owner = :owner), 0) AS used,
        coalesce((SELECT ${sizeOf("records")} FROM records WHERE key = :key), 0) AS before,
        100 + octet_length(:key) + octet_length(:value) AS after`);
    this.#trim = database.prepare(`
      DELETE FROM writes WHERE (SELECT writes FROM usage WHERE owner = :owner) > :max AND idempotency_key IN (
        SELECT idempotency_key FROM writes WHERE ${ownerOfColumn("idempotency_key")} = :owner ORDER BY version LIMIT 2
      )`);
  }

  /** The reason to refuse a write. A write that makes its record smaller is never refused. */
  refusal({ key, value }: Write): string | undefined {
    const { used, before, after } = this.#growth.get({ owner: ownerOf(key), key, value }) ?? {};
    const bytes = Number(used) - Number(before) + Number(after);
    return Number(after) > Number(before) && bytes > this.#quota ? overQuota(bytes, this.#quota) : undefined;
  }

  /** Forgets two of the oldest writes of an owner with too many, after each one that it adds. */
  trim({ idempotencyKey }: Write): void {
    this.#trim.run({ owner: ownerOf(idempotencyKey), max: this.#maxRemembered });
  }
}
