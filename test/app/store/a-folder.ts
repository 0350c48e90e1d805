import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach } from "@jest/globals";

const folders: string[] = [];

afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

/** An empty folder that is gone after the test. */
export async function aFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "mcp-store-"));
  folders.push(folder);
  return folder;
}

/** Holds a store as a process does that is stuck in a transaction, once others have ended theirs; returns how to let go. */
export function hold(folder: string): () => void {
  const database = new DatabaseSync(join(folder, "store.sqlite"), { timeout: 5000 });
  database.exec("BEGIN EXCLUSIVE");
  return () => {
    database.exec("ROLLBACK");
    database.close();
  };
}

export interface StoredRow {
  readonly value: unknown;
  readonly revision: number;
}

/** What a folder's store holds, by key; read from the file itself. */
export function recordsIn(folder: string): Map<string, StoredRow> {
  const database = new DatabaseSync(join(folder, "store.sqlite"), { timeout: 5000 });
  const rows = database.prepare("SELECT key, value, revision FROM records").all();
  database.close();
  return new Map(
    rows.map(({ key, value, revision }) => [
      String(key),
      { value: JSON.parse(String(value)) as unknown, revision: Number(revision) },
    ]),
  );
}

/** How many writes a folder's journal holds: none, too, while no process has needed it and made it. */
export function waitingIn(folder: string): number {
  const path = join(folder, "journal.sqlite");
  if (!existsSync(path)) return 0;
  const database = new DatabaseSync(path, { timeout: 5000 });
  const isMade = database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'queue'").get() !== undefined;
  const row = isMade ? database.prepare("SELECT count(*) AS waiting FROM queue").get() : undefined;
  database.close();
  return Number(row?.waiting ?? 0);
}
