import { DatabaseSync } from "node:sqlite";

/** Milliseconds to wait for another process's transaction. A normal one takes a few. */
const LOCK_TIMEOUT = 500;

/** What SQLite would write to a temporary file stays in memory: where the root is read-only there is no place for such a file. */
const SETTINGS = "PRAGMA journal_mode = TRUNCATE; PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY";

/**
 * One SQLite file, opened when it is first needed and again after it has failed: what it stands on may have come back.
 *
 * It keeps a rollback journal and not a write-ahead log. That takes more syncs, and works on volumes that several nodes share, where the
 * shared memory of such a log does not reach; and a file that was removed or replaced under it is found out before it is written to.
 *
 * @see https://sqlite.org/wal.html, "WAL does not work over a network filesystem"
 */
export class SqliteFile<Tables> {
  readonly #path: string;
  readonly #prepare: (database: DatabaseSync) => Tables;
  #database: DatabaseSync | undefined;
  #tables: Tables | undefined;

  /** @param prepare - creates the tables where they are missing, and prepares statements; runs in a transaction */
  constructor(path: string, prepare: (database: DatabaseSync) => Tables) {
    this.#path = path;
    this.#prepare = prepare;
  }

  /**
   * Runs parts in one transaction, which costs as much for a hundred as for one. What a part that throws has changed is undone, and
   * `failed` makes its result; the others stand. When this returns, they are synced to disk.
   *
   * @throws what SQLite gives as the reason, as where another process goes on holding the file; then nothing of it happened
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
      // What was prepared for tables that are undone, or a file that is gone, would fail forever.
      this.close();
      throw error;
    }
  }

  /** Undoes a transaction that is under way. */
  close(): void {
    const database = this.#database;
    this.#database = undefined;
    this.#tables = undefined;
    try {
      database?.close();
    } catch {
      // The end of the process closes what cannot be closed now.
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
    // Some errors, as a full disk, end the whole transaction.
    if (!database.isTransaction) throw error;
    database.exec("ROLLBACK TO part; RELEASE part");
    return failed(error);
  }
}

/** Whether another process holds the file. @see https://sqlite.org/rescode.html */
function isBusy(error: unknown): boolean {
  return primaryCode(error) === 5; // BUSY
}

/** Whether the file would not take this another time either. */
export function isRefusal(error: unknown): boolean {
  return [18 /* TOOBIG */, 19 /* CONSTRAINT */, 20 /* MISMATCH */].includes(primaryCode(error));
}

/** SQLite's result code without its extension; 0 for what is no error of SQLite. */
function primaryCode(error: unknown): number {
  if (typeof error !== "object" || error === null || !("errcode" in error)) return 0;
  return typeof error.errcode === "number" ? error.errcode & 0xff : 0;
}
