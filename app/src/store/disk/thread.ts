import { join } from "node:path";
import { parentPort, receiveMessageOnPort, workerData, type MessagePort } from "node:worker_threads";
import {
  isOnJournal,
  isOnRecords,
  type JournalJob,
  type RecordsJob,
  type Reply,
  type Request,
  type Results,
} from "./jobs.ts";
import { Journal } from "./journal.ts";
import { Lane } from "./lane.ts";
import { Records } from "./records.ts";
import { SqliteFile } from "./sqlite-file.ts";

type Message = Request | "close";
type Result = Results[keyof Results];

/**
 * Waits for the disk, so that the event loop does not: SQLite's calls return when the disk has synced, and from a volume that hangs they do
 * not return.
 */
function serve(port: MessagePort, folder: string): void {
  const answer = (replies: readonly Reply[]): void => {
    port.postMessage(replies);
  };
  const records = new Lane(
    new SqliteFile(join(folder, "store.sqlite"), (opened) => new Records(opened)),
    onRecords,
    answer,
  );
  const journal = new Lane(
    new SqliteFile(join(folder, "journal.sqlite"), (opened) => new Journal(opened)),
    onJournal,
    answer,
  );

  port.on("message", (first: Message) => {
    const messages = [first, ...waiting(port)];
    const requests = messages.filter((message) => message !== "close");
    records.push(requests.filter(isOnRecords));
    journal.push(requests.filter(isOnJournal));
    if (!messages.includes("close")) return;
    records.close();
    journal.close();
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

function onRecords(records: Records, job: RecordsJob): Result {
  switch (job.name) {
    case "put":
      return records.put(job.write);
    case "replay":
      return records.replay(job.write);
    case "get":
      return records.get(job.key);
  }
}

function onJournal(journal: Journal, job: JournalJob): Result {
  switch (job.name) {
    case "add":
      return journal.add(job.write);
    case "take":
      return journal.take(job.limit);
    case "settle":
      return journal.settle(job.settlement);
  }
}

if (parentPort !== null) serve(parentPort, (workerData as { readonly folder: string }).folder);
