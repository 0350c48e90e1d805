import { Worker } from "node:worker_threads";
import type { Call } from "../../resilience/call.ts";
import { isProgrammingError } from "../../resilience/programming-error.ts";
import { SYSTEM_TIME } from "../../resilience/time.ts";
import type { Durability, DurableStore, Outcome, StoredRecord, Write } from "../store.ts";
import type { QueuedWrite, QueueStats, Settlement, WriteQueue } from "../write-queue.ts";
import type { Job, Reply, Request, Results } from "./jobs.ts";

/** The thread's code, put in its place when the app is bundled: see build.ts. */
declare const BUNDLED_DISK_THREAD: string | undefined;

/** What may go wrong with a disk: held by another process, full, gone, read-only, broken. */
export class DiskFailed extends Error {
  override readonly name = "DiskFailed";
}

/** Milliseconds that closing waits for a disk that hangs. */
const CLOSE_TIMEOUT = 2000;

/** Bytes of writes that may wait for a disk that takes its time, or hangs: about so much memory, at most. */
const MAX_WAITING_BYTES = 32 * 1024 * 1024;

/** Besides its texts: what a request and its promise take. */
const BYTES_PER_WRITE = 1000;

/** A programming error of the thread stays one. */
function failureOf(error: unknown): Error {
  return Error.isError(error) && isProgrammingError(error) ? error : new DiskFailed(String(error));
}

interface Waiting {
  readonly bytes: number;
  readonly resolve: (result: never) => void;
  readonly reject: (error: Error) => void;
}

/**
 * A folder with the store and its journal in it, one SQLite file each: that the one is locked or broken does not touch the other. Any number of
 * processes may work on one folder.
 */
export class Disk implements DurableStore {
  readonly durability: Durability;
  readonly journal: WriteQueue;
  readonly #folder: string;
  readonly #waiting = new Map<number, Waiting>();
  #thread: Worker | undefined;
  #lastId = 0;
  #waitingBytes = 0;
  #closed = false;

  constructor({ folder, durability }: { readonly folder: string; readonly durability: "pod" | "volume" }) {
    this.#folder = folder;
    this.durability = durability;
    this.journal = {
      name: "journal",
      available: true,
      add: async (write, call) => ({ ...(await this.#ask({ name: "add", write }, call)), durability }),
      take: (limit): Promise<readonly QueuedWrite[]> => this.#ask({ name: "take", limit }),
      // It hands writes out to all who ask.
      giveBack: () => Promise.resolve(),
      settle: (settlement: Settlement): Promise<QueueStats> => this.#ask({ name: "settle", settlement }),
    };
  }

  put(write: Write, call: Call): Promise<Outcome> {
    return this.#ask({ name: "put", write }, call);
  }

  replay(writes: readonly Write[], call: Call): Promise<readonly Outcome[]> {
    // Posted together, they go into one transaction.
    return Promise.all(writes.map((write) => this.#ask({ name: "replay", write }, call)));
  }

  ping(call: Call): Promise<unknown> {
    return this.#ask({ name: "get", key: "" }, call);
  }

  get(key: string): Promise<StoredRecord | undefined> {
    return this.#ask({ name: "get", key });
  }

  /** Does what has been asked for until now, and ends the thread. */
  async close(): Promise<void> {
    this.#closed = true;
    const thread = this.#thread;
    if (thread === undefined) return;
    const { promise: ended, resolve: onEnd } = Promise.withResolvers<unknown>();
    thread.once("exit", onEnd);
    thread.postMessage("close");
    const patience = setTimeout(onEnd, CLOSE_TIMEOUT);
    await ended;
    clearTimeout(patience);
  }

  #ask<J extends Job>(job: J, call?: Call): Promise<Results[J["name"]]> {
    if (this.#closed) return Promise.reject(new DiskFailed(`${this.#folder}: closed`));
    const bytes = "write" in job ? BYTES_PER_WRITE + job.write.key.length + job.write.value.length : 0;
    if (bytes > 0 && this.#waitingBytes + bytes > MAX_WAITING_BYTES)
      return Promise.reject(new DiskFailed(`${this.#folder}: ${this.#waitingBytes} bytes wait to be written already`));
    const thread = (this.#thread ??= this.#start());
    const id = (this.#lastId += 1);
    const until = Date.now() + (call === undefined ? Infinity : call.deadline - SYSTEM_TIME.now());
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { bytes, resolve, reject });
      this.#waitingBytes += bytes;
      // It keeps the process alive only while somebody waits for it.
      thread.ref();
      thread.postMessage({ id, job, until } satisfies Request);
    });
  }

  #start(): Worker {
    const options = { workerData: { folder: this.#folder }, name: "disk" };
    const thread =
      typeof BUNDLED_DISK_THREAD === "string"
        ? new Worker(BUNDLED_DISK_THREAD, { ...options, eval: true })
        : new Worker(new URL("thread.ts", import.meta.url), options);
    thread.on("message", (replies: readonly Reply[]) => {
      for (const reply of replies) this.#settle(reply);
    });
    thread.once("error", (error) => {
      this.#failAll(failureOf(error));
    });
    thread.once("exit", () => {
      this.#thread = undefined;
      this.#failAll(new DiskFailed(`${this.#folder}: its thread has ended`));
    });
    return thread;
  }

  #settle(reply: Reply): void {
    const waiting = this.#waiting.get(reply.id);
    this.#waiting.delete(reply.id);
    this.#waitingBytes -= waiting?.bytes ?? 0;
    if ("error" in reply) waiting?.reject(failureOf(reply.error));
    else waiting?.resolve(reply.result as never);
    if (this.#waiting.size === 0) this.#thread?.unref();
  }

  #failAll(error: Error): void {
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
    this.#waitingBytes = 0;
  }
}
