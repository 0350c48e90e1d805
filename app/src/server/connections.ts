import type { Socket } from "node:net";

/**
 * Ages vary by this share of the maximum, so that connections opened together do not end together.
 */
const JITTER = 0.1;

/** Milliseconds between checks for idle connections to close. */
const SWEEP_INTERVAL = 1000;
const DRAIN_SWEEP_INTERVAL = 50;

/**
 * Requests that one connection may have under way. Clients send the next one when they have an
 * answer; a client that sends far more at once (pipelining) would have all of them kept here until
 * they are answered in order.
 */
const MAX_UNDER_WAY = 100;

/** Milliseconds that a client may take to send a request or to read an answer while new connections need room. */
const SLOW = 2000;

interface Connection {
  readonly endsAt: number;
  calls: number;
  /** Calls that wait for the client, which sends a request or reads an answer. */
  waiting: number;
  /** When they began to wait, or when the last one ended. */
  waitingSince: number;
  streams: number;
  /** All that ever arrived. */
  requests: number;
  idleSince: number;
  /** Its last response announced that it ends. */
  isEnding: boolean;
}

/** One request on a connection. */
export interface Exchange {
  /** It is a listen stream, which only the client or a drain ends. */
  readonly becomesStream: () => void;
  readonly isStream: () => boolean;
  /** Whether no other request has arrived after it. */
  readonly isNewest: () => boolean;
  /** Its response tells the client that the connection ends. */
  readonly isLast: () => void;
  /** The request has arrived: from now on its client waits for the server. */
  readonly arrived: () => void;
  /** The answer has been written: from now on the server waits until its client has read it. */
  readonly answered: () => void;
  readonly done: () => void;
}

export interface ConnectionsOptions {
  /** Milliseconds after which a connection is to end. */
  readonly maxAge: number;
  /** Milliseconds for which clients may reuse an idle connection. */
  readonly keepAliveTimeout: number;
  /** Connections that may be open; each costs memory, also when it is idle. */
  readonly max: number;
}

/**
 * All open connections of clients, and which of them should end.
 *
 * A connection ends with a response that says `Connection: close`, because its client then has no
 * request on the way. An idle one is closed only when it was idle for longer than its client may
 * reuse it. Closed earlier, it could meet a request under way, and a POST that is lost this way is
 * not retried.
 */
export class Connections {
  readonly #options: ConnectionsOptions;
  readonly #open = new Map<Socket, Connection>();
  readonly #waiting = new Set<() => void>();
  #sweep: NodeJS.Timeout;
  #draining = false;

  constructor(options: ConnectionsOptions) {
    this.#options = options;
    this.#sweep = this.#sweepEvery(SWEEP_INTERVAL);
  }

  get size(): number {
    return this.#open.size;
  }

  /** Connections with a call under way. */
  get busy(): number {
    return [...this.#open.values()].filter(({ calls }) => calls > 0).length;
  }

  /** Streams on which clients listen for changes. */
  get streams(): number {
    return [...this.#open.values()].reduce((total, { streams }) => total + streams, 0);
  }

  /**
   * A connection was opened. When there are too many, an idle one makes room; if there is none, the
   * new one is closed.
   */
  add(socket: Socket): void {
    if (this.#open.size >= this.#options.max && !this.#makeRoomFor(socket)) {
      socket.destroy();
      return;
    }
    const now = performance.now();
    const endsAt = now + this.#options.maxAge * (1 + JITTER * (2 * Math.random() - 1));
    this.#open.set(socket, {
      endsAt,
      calls: 0,
      waiting: 0,
      waitingSince: now,
      streams: 0,
      requests: 0,
      idleSince: now,
      isEnding: false,
    });
    socket.once("close", () => {
      this.#open.delete(socket);
      this.#changed();
    });
  }

  /**
   * A request has arrived. Returns nothing when it must not be processed: the client was told that
   * the connection ends, or has too many requests under way, or sent one behind a stream, where it
   * would wait for the end of the connection.
   */
  begin(socket: Socket): Exchange | undefined {
    const connection = this.#open.get(socket);
    if (connection === undefined) return undefined;
    if (connection.calls >= MAX_UNDER_WAY || connection.streams > 0) {
      socket.destroy();
      return undefined;
    }
    if (connection.isEnding) return undefined;
    connection.requests += 1;
    const { requests } = connection;
    let kind: "calls" | "streams" = "calls";
    connection[kind] += 1;
    let isWaiting = false;
    const waits = (value: boolean) => {
      if (value === isWaiting) return;
      isWaiting = value;
      connection.waiting += value ? 1 : -1;
      if (value && connection.waiting === 1) connection.waitingSince = performance.now();
    };
    waits(true);
    return {
      isStream: () => kind === "streams",
      isNewest: () => connection.requests === requests,
      isLast: () => {
        connection.isEnding = true;
      },
      becomesStream: () => {
        if (connection.requests > requests) socket.destroy();
        connection[kind] -= 1;
        kind = "streams";
        connection[kind] += 1;
        this.#changed();
      },
      arrived: () => {
        waits(false);
      },
      answered: () => {
        waits(kind === "calls");
      },
      done: () => {
        waits(false);
        connection[kind] -= 1;
        connection.idleSince = performance.now();
        connection.waitingSince = connection.idleSince;
        this.#changed();
      },
    };
  }

  /** Whether no request is under way on this connection. */
  isIdle(socket: Socket): boolean {
    const { calls, streams } = this.#open.get(socket) ?? { calls: 0, streams: 0 };
    return calls + streams === 0;
  }

  /** Whether the next response on this connection must be its last. */
  mustEnd(socket: Socket): boolean {
    return this.#draining || performance.now() >= (this.#open.get(socket)?.endsAt ?? 0);
  }

  /** From now on every response is the last of its connection. */
  drain(): void {
    this.#draining = true;
    clearInterval(this.#sweep);
    this.#sweep = this.#sweepEvery(DRAIN_SWEEP_INTERVAL);
  }

  /** Resolves once all that is left are streams. */
  async onlyStreams(): Promise<void> {
    await this.#until(() => [...this.#open.values()].every(({ calls, streams }) => calls === 0 && streams > 0));
  }

  async none(): Promise<void> {
    await this.#until(() => this.#open.size === 0);
  }

  /** Closes what is left, calls and all. */
  destroy(): void {
    clearInterval(this.#sweep);
    for (const socket of this.#open.keys()) socket.destroy();
  }

  async #until(condition: () => boolean): Promise<void> {
    if (condition()) return;
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const check = () => {
      if (condition()) resolve(undefined);
    };
    this.#waiting.add(check);
    await promise;
    this.#waiting.delete(check);
  }

  #changed(): void {
    for (const check of this.#waiting) check();
  }

  #sweepEvery(milliseconds: number): NodeJS.Timeout {
    return setInterval(() => {
      const now = performance.now();
      for (const [socket, connection] of this.#open) {
        if (this.#isDispensable(connection, now) && this.mustEnd(socket)) socket.destroy();
      }
    }, milliseconds).unref();
  }

  /**
   * Closes the oldest connection that never brought a request, or else one that its client no
   * longer counts on, or else one on which nothing but a slow client is waited for, or else an idle
   * one of another address that has more than half of all.
   */
  #makeRoomFor(socket: Socket): boolean {
    const now = performance.now();
    const connections = [...this.#open];
    const [victim] =
      connections.find(([, { requests }]) => requests === 0) ??
      connections.find(([, connection]) => this.#isDispensable(connection, now)) ??
      connections.find(([, connection]) => isSlow(connection, now)) ??
      this.#ofLargestClient(socket.remoteAddress).find(([other]) => this.isIdle(other)) ??
      [];
    if (victim === undefined) return false;
    this.#open.delete(victim);
    victim.destroy();
    return true;
  }

  /** All connections of an address that has more than half of those allowed, unless it is this one. */
  #ofLargestClient(address: string | undefined): readonly (readonly [Socket, Connection])[] {
    const byAddress = Map.groupBy(this.#open, ([{ remoteAddress }]) => remoteAddress);
    byAddress.delete(address);
    return [...byAddress.values()].find(({ length }) => length > this.#options.max / 2) ?? [];
  }

  /** Idle for longer than its client may reuse it. */
  #isDispensable({ calls, streams, idleSince }: Connection, now: number): boolean {
    return calls + streams === 0 && now - idleSince > this.#options.keepAliveTimeout;
  }
}

function isSlow({ calls, waiting, waitingSince, streams }: Connection, now: number): boolean {
  return calls > 0 && calls === waiting && streams === 0 && now - waitingSince > SLOW;
}
