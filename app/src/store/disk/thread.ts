import { join } from "node:path";
import { parentPort, receiveMessageOnPort, workerData, type MessagePort } from "node:worker_threads";
import { Journal } from "./journal.ts";
import type { Files, Reply, Request, ThreadOptions } from "./protocol.ts";
import { Records } from "./records.ts";
import { isRefusal, SqliteFile } from "./sqlite-file.ts";

type Message = Request | "close";

/**
 * Runs SQLite on a separate thread, because its calls block until the disk has synced, and
 * permanently on a volume that hangs.
 *
 * Requests that arrived while the disk was busy are in one transaction for each file, which reduces
 * the cost of a write under load.
 */
function serve(port: MessagePort, { folder, quota }: ThreadOptions): void {
  const files: { readonly [F in keyof Files]: SqliteFile<Files[F]> } = {
    records: new SqliteFile(join(folder, "store.sqlite"), (database) => new Records(database, quota)),
    journal: new SqliteFile(join(folder, "journal.sqlite"), (database) => new Journal(database)),
  };
  port.on("message", (first: Message) => {
    const messages = [first, ...waiting(port)];
    const requests = messages.filter((message) => message !== "close");
    for (const file of ["journal", "records"] as const) {
      const own = requests.filter((request) => request.file === file);
      if (own.length > 0) port.postMessage(inOneTransaction(files[file], own));
    }
    if (!messages.includes("close")) return;
    files.records.close();
    files.journal.close();
    port.close();
  });
}

function waiting(port: MessagePort): Message[] {
  const messages: Message[] = [];
  for (;;) {
    const next: { message: Message } | undefined = receiveMessageOnPort(port);
    if (next === undefined) return messages;
    messages.push(next.message);
  }
}

function inOneTransaction(file: SqliteFile<object>, requests: readonly Request[]): readonly Reply[] {
  try {
    return file.transaction(requests, run, failed);
  } catch (error) {
    return requests.map(({ id }) => ({ id, error }));
  }
}

/** The file is locked here, so the deadline is checked directly before the write. */
function run(tables: object, { id, method, args, until }: Request): Reply {
  if (Date.now() > until) throw new Error("the time for it was over before the disk came to it");
  const { [method]: ask } = tables as Record<string, (...args: readonly unknown[]) => unknown>;
  return { id, result: ask?.apply(tables, [...args]) };
}

function failed({ id }: Request, error: unknown): Reply {
  return isRefusal(error) ? { id, result: { kind: "refused", reason: String(error) } } : { id, error };
}

if (parentPort !== null) serve(parentPort, workerData as ThreadOptions);
