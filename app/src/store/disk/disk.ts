import { Worker } from "node:worker_threads";
import type { Call } from "../../resilience/call.ts";
import { isProgrammingError } from "../../resilience/programming-error.ts";
import { thrown } from "../../resilience/rejection.ts";
import { SYSTEM_TIME } from "../../resilience/time.ts";
import type { Durability, DurableStore, Outcome, StoredRecord, Write } from "../store.ts";
import type { WriteQueue } from "../write-queue.ts";
import type { Files, Reply, Request, ThreadOptions } from "./protocol.ts";

/** Code of the thread, defined by the bundler: see build.ts. */
declare const BUNDLED_DISK_THREAD: string | undefined;

/** A failure of the disk: locked by another process, full, gone, read-only, damaged. */
export class DiskFailed extends Error {
  override readonly name = "DiskFailed";
}

/** Milliseconds that closing waits for a disk that hangs. */
const CLOSE_TIMEOUT = 2000;

/** Bytes of writes in memory that wait for a slow disk. */
const MAX_WAITING_BYTES = 32 * 1024 * 1024;

/** Memory of a request and its promise, without its texts. */
const BYTES_PER_WRITE = 1000;

/** Bytes that the records of one owner may take. */
const DEFAULT_QUOTA = 256 * 1024 * 1024;

/** Keeps a programming error of the thread as it is. */
function failureOf(error: unknown): Error {
  return Error.isError(error) && isProgrammingError(error) ? error : new DiskFailed(String(error));
}

interface Waiting {
  readonly bytes: number;
  readonly resolve: (result: never) => void;
  readonly reject: (error: Error) => void;
}

type Method<F extends keyof Files> = keyof Files[F] & string;

type Answer<F extends keyof Files, M extends Method<F>> = Files[F][M] extends (...args: never) => infer R ? R : never;

export interface DiskOptions extends Pick<ThreadOptions, "folder">, Partial<Pick<ThreadOptions, "quota">> {
  readonly durability: "pod" | "volume";
}

/**
 * A folder with the store and its journal. Each is a SQLite file, so that a damaged store does not
 * damage the journal. Several processes may use one folder.
 */
export class Disk implements DurableStore {
  readonly durability: Durability;
  readonly journal: WriteQueue;
  readonly #options: ThreadOptions;
  readonly #waiting = new Map<number, Waiting>();
  #thread: Worker | undefined;
  #lastId = 0;
  #waitingBytes = 0;
  #closed = false;

  constructor({ folder, durability, quota = DEFAULT_QUOTA }: DiskOptions) {
    this.#options = { folder, quota };
    this.durability = durability;
    this.journal = {
      name: "journal",
      available: true,
      add: async (write, call) => ({ ...(await this.#write("journal", "add", write, call)), durability }),
      take: (limit) => this.#ask("journal", "take", [limit]),
      // The journal offers the same writes to every process.
      giveBack: () => Promise.resolve(),
      settle: (settlement) => this.#ask("journal", "settle", [settlement]),
    };
  }

  put(write: Write, call: Call): Promise<Outcome> {
    return this.#write("records", "put", write, call);
  }

  replay(writes: readonly Write[], call: Call): Promise<readonly Outcome[]> {
    // Posted together, they are in one transaction.
    return Promise.all(writes.map((write) => this.#write("records", "replay", write, call)));
  }

  ping(call: Call): Promise<unknown> {
    return this.get("", call);
  }

  get(key: string, call?: Call): Promise<StoredRecord | undefined> {
    return this.#ask("records", "get", [key], call);
  }

  /** Completes all requests and ends the thread. */
  async close(): Promise<void> {
    this.#closed = true;
    const thread = this.#thread;
    if (thread === undefined) return;
    const { promise: ended, resolve: onEnd } = Promise.withResolvers<unknown>();
    thread.once("exit", onEnd);
    thread.postMessage("close");
    const timer = setTimeout(onEnd, CLOSE_TIMEOUT);
    await ended;
    clearTimeout(timer);
  }

  /** @throws Rejected when too many bytes wait, which is not a failure of the disk */
  #write<F extends keyof Files>(file: F, method: Method<F>, write: Write, call: Call): Promise<Outcome> {
    const bytes = BYTES_PER_WRITE + write.key.length + write.value.length;
    if (this.#waitingBytes + bytes > MAX_WAITING_BYTES)
      return Promise.reject(thrown({ admitted: false, reason: "full", policy: "disk", retryAfterMs: 0 }, call.trace));
    return this.#ask(file, method, [write], call, bytes) as Promise<Outcome>;
  }

  #ask<F extends keyof Files, M extends Method<F>>(
    file: F,
    method: M,
    args: readonly unknown[],
    call?: Call,
    bytes = 0,
  ): Promise<Answer<F, M>> {
    if (this.#closed) return Promise.reject(new DiskFailed(`${this.#options.folder}: closed`));
    const thread = (this.#thread ??= this.#start());
    const id = (this.#lastId += 1);
    const until = Date.now() + (call === undefined ? Infinity : call.deadline - SYSTEM_TIME.now());
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { bytes, resolve, reject });
      this.#waitingBytes += bytes;
      // The thread keeps the process alive only while there are requests.
      thread.ref();
      thread.postMessage({ id, file, method, args, until } satisfies Request);
    });
  }

  #start(): Worker {
    const options = { workerData: this.#options, name: "disk" };
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
      this.#failAll(new DiskFailed(`${this.#options.folder}: its thread has ended`));
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
