import { tryAgainLater } from "./try-again.ts";

/** The bytes of one request's body. */
export interface BodyShare {
  /** @throws HttpError 503 when all bodies together have too many bytes */
  readonly take: (bytes: number) => void;
  /** Gives back all that was taken. */
  readonly release: () => void;
}

/**
 * Limits the bytes of request bodies that the process holds, over all connections. Bytes count from
 * their arrival until their call is answered, since the parsed body lives as long.
 */
export class BodyBudget {
  readonly #maxBytes: number;
  #bytes = 0;
  #refused = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Bytes held now. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Requests that were refused. */
  get refused(): number {
    return this.#refused;
  }

  share(): BodyShare {
    let taken = 0;
    return {
      take: (bytes) => {
        if (this.#bytes + bytes > this.#maxBytes) {
          this.#refused += 1;
          throw tryAgainLater("No memory for the request body");
        }
        this.#bytes += bytes;
        taken += bytes;
      },
      release: () => {
        this.#bytes -= taken;
        taken = 0;
      },
    };
  }
}
