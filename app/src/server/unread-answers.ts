import type { ServerResponse } from "node:http";

/** For the whole process, in addition to the operating system's buffers. */
const MAX_BYTES = 32 * 1024 * 1024;

/**
 * Limits the bytes of answers that wait for their readers, over all connections. Beyond the limit,
 * the oldest answer loses its connection, unless it is the only one. A small request can have a
 * large answer, so clients that never read could fill the memory.
 */
export class UnreadAnswers {
  readonly #maxBytes: number;
  /** Bytes of each answer, oldest first. */
  readonly #waiting = new Map<ServerResponse, number>();
  #bytes = 0;

  constructor(maxBytes = MAX_BYTES) {
    this.#maxBytes = maxBytes;
  }

  /** To be called after each write. */
  written(response: ServerResponse): void {
    if (response.closed || response.req.socket.destroyed) return;
    const { writableLength } = response;
    if (!this.#waiting.has(response)) {
      if (writableLength === 0) return;
      response.once("close", () => {
        this.#remove(response);
      });
    }
    this.#bytes += writableLength - (this.#waiting.get(response) ?? 0);
    this.#waiting.set(response, writableLength);
    for (const oldest of this.#waiting.keys()) {
      if (this.#bytes <= this.#maxBytes || this.#waiting.size === 1) return;
      this.#remove(oldest);
      // Not the response: if it is queued behind another one, it has no socket.
      oldest.req.socket.destroy();
    }
  }

  #remove(response: ServerResponse): void {
    this.#bytes -= this.#waiting.get(response) ?? 0;
    this.#waiting.delete(response);
  }
}
