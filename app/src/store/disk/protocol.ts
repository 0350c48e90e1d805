import type { Journal } from "./journal.ts";
import type { Records } from "./records.ts";

/** The files of a folder; their methods are the possible requests. */
export interface Files {
  readonly records: Records;
  readonly journal: Journal;
}

export interface Request {
  readonly id: number;
  readonly file: keyof Files;
  readonly method: string;
  readonly args: readonly unknown[];
  /** Deadline in milliseconds since 1970: a later request must not run. */
  readonly until: number;
}

/** `error` is a copy of the Error. */
export type Reply =
  { readonly id: number; readonly result: unknown } | { readonly id: number; readonly error: unknown };

export interface ThreadOptions {
  readonly folder: string;
  /** Bytes that the records of one owner may take. */
  readonly quota: number;
}
