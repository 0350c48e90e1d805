import { DatabaseSync } from "node:sqlite";

/** Milliseconds to wait for another process's transaction. A normal one takes a few. */
const LOCK_TIMEOUT = 500;

/** Temporary tables stay in memory, because a read-only root has no place for files. */
const SETTINGS = "PRAGMA journal_mode = TRUNCATE; PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY";

/**
 * One SQLite file, opened on first use and again after a failure, because a volume may come back.
 *
 * It has a rollback journal and no write-ahead log. It needs more syncs, but works on volumes
 * shared by nodes, where a write-ahead log does not. A file that was removed or replaced is
 * detected before it is written.
 *
 * @see https://sqlite.org/wal.html, "WAL does not work over a network filesystem"
 */
export class SqliteFile<Tables> {
  readonly #path: string;
  readonly #prepare: (database: DatabaseSync) => Tables;
  #database: DatabaseSync | undefined;
  #tables: Tables | undefined;

  /** @param prepare - creates missing tables and prepares statements, in a transaction */
  constructor(path: string, prepare: (database: DatabaseSync) => Tables) {
    this.#path = path;
    this.#prepare = prepare;
  }

  /**
   * Runs parts in one transaction, because a transaction with a hundred parts costs as much as one
   * with a single part. A part that throws is undone, and `failed` makes its result. All other
   * parts are synced to disk on return.
   *
   * @throws SQLite's error, as when another process holds the file; then no part took effect
   */
  transaction<Part, Result>(
    parts: readonly Part[],
    run: (tables: Tables, part: Part) => Result,
    failed: (part: Part, error: unknown) => Result,
  ): readonly Result[] {
    const database = this.#begin();
    try {
      const tables = (this.#tables ??= this.#prepare(database));
      const results = parts.map((part) =>
        inSavepoint(
          database,
          () => run(tables, part),
          (error) => failed(part, error),
        ),
      );
      database.exec("COMMIT");
      return results;
    } catch (error) {
      // Prepared statements for tables or files that are gone would always fail.
      this.close();
      throw error;
    }
  }

  /** Undoes a transaction in progress. */
  close(): void {
    const database = this.#database;
    this.#database = undefined;
    this.#tables = undefined;
    try {
      database?.close();
    } catch {
      // The end of the process closes it.
    }
  }

  #begin(): DatabaseSync {
    try {
      this.#database ??= new DatabaseSync(this.#path, { timeout: LOCK_TIMEOUT });
      if (this.#tables === undefined) this.#database.exec(SETTINGS);
      this.#database.exec("BEGIN IMMEDIATE");
      return this.#database;
    } catch (error) {
      if (!isBusy(error)) this.close();
      throw error;
    }
  }
}

function inSavepoint<Result>(database: DatabaseSync, run: () => Result, failed: (error: unknown) => Result): Result {
  database.exec("SAVEPOINT part");
  try {
    const result = run();
    database.exec("RELEASE part");
    return result;
  } catch (error) {
    // Some errors, such as a full disk, end the whole transaction.
    if (!database.isTransaction) throw error;
    database.exec("ROLLBACK TO part; RELEASE part");
    return failed(error);
  }
}

/** Whether another process holds the file. @see https://sqlite.org/rescode.html */
function isBusy(error: unknown): boolean {
  return primaryCode(error) === 5; // BUSY
}

/** Whether a repetition would fail in the same way. */
export function isRefusal(error: unknown): boolean {
  return [18 /* TOOBIG */, 19 /* CONSTRAINT */, 20 /* MISMATCH */].includes(primaryCode(error));
}

/** SQLite's primary result code; 0 for other errors. */
function primaryCode(error: unknown): number {
  if (typeof error !== "object" || error === null || !("errcode" in error)) return 0;
  return typeof error.errcode === "number" ? error.errcode & 0xff : 0;
}
