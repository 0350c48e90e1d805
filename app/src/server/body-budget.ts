import type { HttpError } from "../errors/http-error.ts";
import { tryAgainLater } from "./try-again.ts";

/** Milliseconds after which an incomplete body may be refused: a mebibyte at 4 Mbit/s. */
const SLOW = 2000;

/** The bytes of one request's body. */
export interface BodyShare {
  /** Aborts with a HttpError 503 when the bytes are given to other requests. */
  readonly signal: AbortSignal;
  /**
   * @throws HttpError 503 when all bodies together, or those of the same client, have too many
   *   bytes
   */
  readonly take: (bytes: number) => void;
  /** The whole body has arrived. It keeps its bytes until `release`. */
  readonly arrived: () => void;
  /** Gives back all that was taken. */
  readonly release: () => void;
}

interface Body {
  readonly client: string;
  readonly startedAt: number;
  readonly giveWay: (reason: HttpError) => void;
  bytes: number;
}

export interface BodyBudgetOptions {
  readonly maxTotalBodyBytes: number;
  readonly maxBodyBytes: number;
  /** Milliseconds. @default 2000 */
  readonly slowAfter?: number;
}

/**
 * Limits the bytes of request bodies in memory, over all connections. Bytes count until their call
 * is answered, because the parsed body exists as long.
 *
 * One client may hold half of them. Clients behind a proxy look like one, and an attacker can have
 * many addresses. So when a limit is reached, the oldest incomplete body is refused if it is slow.
 */
export class BodyBudget {
  readonly #maxBytes: number;
  readonly #maxOfClient: number;
  readonly #slowAfter: number;
  readonly #byClient = new Map<string, number>();
  /** Oldest first. */
  readonly #arriving = new Set<Body>();
  #bytes = 0;
  #refused = 0;

  constructor({ maxTotalBodyBytes, maxBodyBytes, slowAfter = SLOW }: BodyBudgetOptions) {
    this.#maxBytes = maxTotalBodyBytes;
    this.#maxOfClient = Math.max(maxBodyBytes, maxTotalBodyBytes / 2);
    this.#slowAfter = slowAfter;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get refused(): number {
    return this.#refused;
  }

  share(client: string): BodyShare {
    const abort = new AbortController();
    const body: Body = {
      client,
      startedAt: performance.now(),
      giveWay: (reason) => {
        abort.abort(reason);
      },
      bytes: 0,
    };
    this.#arriving.add(body);
    return {
      signal: abort.signal,
      take: (bytes) => {
        this.#makeRoom(body, bytes);
        this.#add(body, bytes);
      },
      arrived: () => {
        this.#arriving.delete(body);
      },
      release: () => {
        this.#arriving.delete(body);
        this.#add(body, -body.bytes);
      },
    };
  }

  #makeRoom(body: Body, bytes: number): void {
    for (;;) {
      const isClientFull = this.#bytesOf(body.client) + bytes > this.#maxOfClient;
      if (!isClientFull && this.#bytes + bytes <= this.#maxBytes) return;
      const slow = this.#slowest(isClientFull ? body.client : undefined);
      this.#refused += 1;
      if (slow === undefined || slow === body) throw tryAgainLater("No memory for the request body");
      this.#arriving.delete(slow);
      this.#add(slow, -slow.bytes);
      slow.giveWay(tryAgainLater("The request body arrived slowly while others needed its memory"));
    }
  }

  /** @param client - @default - any client */
  #slowest(client: string | undefined): Body | undefined {
    const since = performance.now() - this.#slowAfter;
    for (const body of this.#arriving) {
      if (body.startedAt > since) return undefined;
      if (body.bytes > 0 && (client === undefined || body.client === client)) return body;
    }
    return undefined;
  }

  #bytesOf(client: string): number {
    return this.#byClient.get(client) ?? 0;
  }

  #add(body: Body, bytes: number): void {
    body.bytes += bytes;
    this.#bytes += bytes;
    const total = this.#bytesOf(body.client) + bytes;
    if (total === 0) this.#byClient.delete(body.client);
    else this.#byClient.set(body.client, total);
  }
}
