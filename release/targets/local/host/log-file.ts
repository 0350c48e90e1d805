import { once } from "node:events";
import { createWriteStream, openSync, renameSync, type WriteStream } from "node:fs";

export interface LogFileOptions {
  /** Bytes after which the file becomes `<file>.1` and a new one begins. @default 20 MiB */
  readonly maxBytes?: number;
  /** Bytes that may wait for the disk. @default 4 MiB */
  readonly maxWaiting?: number;
}

/**
 * The log of a host's processes: at most two files, of bounded size. Lines that come faster than
 * the disk takes them are left out and counted, because a program that waits for its log answers
 * nobody.
 */
export class LogFile {
  readonly #file: string;
  readonly #maxBytes: number;
  readonly #maxWaiting: number;
  #stream: WriteStream;
  #bytes = 0;
  #leftOut = 0;

  constructor(file: string, { maxBytes = 20 * 2 ** 20, maxWaiting = 4 * 2 ** 20 }: LogFileOptions = {}) {
    this.#file = file;
    this.#maxBytes = maxBytes;
    this.#maxWaiting = maxWaiting;
    this.#stream = this.#open();
  }

  write(line: string): void {
    if (this.#stream.writableLength > this.#maxWaiting) {
      this.#leftOut += 1;
      return;
    }
    if (this.#leftOut > 0) {
      this.#append(`(${this.#leftOut} lines were left out: they came faster than the disk takes them)`);
      this.#leftOut = 0;
    }
    this.#append(line);
  }

  /** Resolves when all of it is in the file. */
  async close(): Promise<void> {
    if (this.#stream.destroyed) return;
    await once(this.#stream.end(), "close");
  }

  #append(line: string): void {
    if (this.#bytes > this.#maxBytes) {
      this.#stream.end();
      renameSync(this.#file, `${this.#file}.1`);
      this.#stream = this.#open();
      this.#bytes = 0;
    }
    this.#bytes += Buffer.byteLength(line) + 1;
    this.#stream.write(`${line}\n`);
  }

  #open(): WriteStream {
    // A full disk must not end the host.
    return createWriteStream(this.#file, { fd: openSync(this.#file, "w") }).on("error", () => undefined);
  }
}
