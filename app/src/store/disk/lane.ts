import { isBusy, isRefusal, type SqliteFile } from "./sqlite-file.ts";
import type { Job, Reply, Request, Results } from "./jobs.ts";

/** Milliseconds to wait for another process that holds the file. Its transactions take a few; one that takes so long is stuck. */
const PATIENCE = 500;

/** Milliseconds between two tries to get it. */
const TRY_EVERY = 5;

/**
 * The jobs of one file, in order. All that have come in while the disk was busy go into one transaction: the more there is to do, the
 * less each write costs.
 *
 * While another process holds the file they wait without holding the thread, which the other file needs.
 */
export class Lane<Tables, J extends Job> {
  readonly #file: SqliteFile<Tables>;
  readonly #run: (tables: Tables, job: J) => Results[keyof Results];
  readonly #answer: (replies: readonly Reply[]) => void;
  #waiting: Request<J>[] = [];
  #triedSince: number | undefined;

  constructor(
    file: SqliteFile<Tables>,
    run: (tables: Tables, job: J) => Results[keyof Results],
    answer: (replies: readonly Reply[]) => void,
  ) {
    this.#file = file;
    this.#run = run;
    this.#answer = answer;
  }

  push(requests: readonly Request<J>[]): void {
    this.#waiting.push(...requests);
    if (this.#waiting.length > 0 && this.#triedSince === undefined) this.#try();
  }

  /** Those that wait are not done any more. */
  close(): void {
    this.#waiting = [];
    this.#file.close();
  }

  #try(): void {
    this.#triedSince ??= performance.now();
    const requests = this.#waiting;
    try {
      this.#done(this.#file.transaction(requests, this.#inTime, failed));
    } catch (error) {
      if (isBusy(error) && performance.now() - this.#triedSince < PATIENCE) {
        setTimeout(() => {
          if (this.#waiting.length > 0) this.#try();
        }, TRY_EVERY);
      } else {
        this.#done(requests.map(({ id }) => ({ id, error })));
      }
    }
  }

  #done(replies: readonly Reply[]): void {
    this.#waiting = [];
    this.#triedSince = undefined;
    this.#answer(replies);
  }

  readonly #inTime = (tables: Tables, { id, job, until }: Request<J>): Reply => {
    // Here the file is locked: nobody writes between this look at the clock and the write.
    if (Date.now() > until) throw new Error("the time for it was over before the disk came to it");
    return { id, result: this.#run(tables, job) };
  };
}

function failed({ id }: Request, error: unknown): Reply {
  return isRefusal(error) ? { id, result: { kind: "refused", reason: String(error) } } : { id, error };
}
