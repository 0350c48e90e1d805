import type { Journal } from "./journal.ts";
import type { Records } from "./records.ts";

/** The files of a folder, and what can be asked of each: its methods. */
export interface Files {
  readonly records: Records;
  readonly journal: Journal;
}

export interface Request {
  readonly id: number;
  readonly file: keyof Files;
  readonly method: string;
  readonly args: readonly unknown[];
  /** Milliseconds since 1970 after which nobody waits for it any more, and it must not happen. */
  readonly until: number;
}

/** `error`: an Error arrives as a copy. */
export type Reply =
  { readonly id: number; readonly result: unknown } | { readonly id: number; readonly error: unknown };

export interface ThreadOptions {
  readonly folder: string;
  /** Bytes that the records of one owner may take. */
  readonly quota: number;
}
