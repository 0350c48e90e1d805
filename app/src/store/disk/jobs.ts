import type { Outcome, StoredRecord, Write } from "../store.ts";
import type { QueuedWrite, QueueStats, Settlement } from "../write-queue.ts";

/** What the thread is asked to do with the records. */
export type RecordsJob =
  | { readonly name: "put"; readonly write: Write }
  | { readonly name: "replay"; readonly write: Write }
  | { readonly name: "get"; readonly key: string };

/** What the thread is asked to do with the journal. */
export type JournalJob =
  | { readonly name: "add"; readonly write: Write }
  | { readonly name: "take"; readonly limit: number }
  | { readonly name: "settle"; readonly settlement: Settlement };

export type Job = RecordsJob | JournalJob;

/** What it answers to each. */
export interface Results {
  readonly put: Outcome;
  readonly replay: Outcome;
  readonly get: StoredRecord | undefined;
  readonly add: Outcome;
  readonly take: readonly QueuedWrite[];
  readonly settle: QueueStats;
}

export interface Request<J extends Job = Job> {
  readonly id: number;
  readonly job: J;
  /** Milliseconds since 1970 after which nobody waits for it any more, and it must not happen. */
  readonly until: number;
}

/** `error` is what went wrong; an Error arrives as a copy. */
export type Reply =
  { readonly id: number; readonly result: Results[keyof Results] } | { readonly id: number; readonly error: unknown };

export function isOnRecords(request: Request): request is Request<RecordsJob> {
  return ["put", "replay", "get"].includes(request.job.name);
}

export function isOnJournal(request: Request): request is Request<JournalJob> {
  return !isOnRecords(request);
}
