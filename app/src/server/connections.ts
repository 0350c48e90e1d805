import type { Socket } from "node:net";

/** Random part of the maximum age, so that connections opened together do not end together. */
const JITTER = 0.1;

/** Milliseconds between checks for idle connections to close. */
const SWEEP_INTERVAL = 1000;
const DRAIN_SWEEP_INTERVAL = 50;

/**
 * Concurrent requests on one connection. Pipelined requests are kept in memory until they are
 * answered in order.
 */
const MAX_UNDER_WAY = 100;

/** Milliseconds for a client to send a request or read an answer when others need room. */
const SLOW = 2000;

interface Connection {
  readonly endsAt: number;
  calls: number;
  /** Calls that wait for the client: for its request, or for it to read the answer. */
  waiting: number;
  /** When they began to wait, or when the last one ended. */
  waitingSince: number;
  streams: number;
  requests: number;
  idleSince: number;
  /** Its last response had `Connection: close`. */
  isEnding: boolean;
}

/** One request on a connection. */
export interface Exchange {
  /** It is a listen stream, which only the client or a drain ends. */
  readonly becomesStream: () => void;
  readonly isStream: () => boolean;
  /** Whether no other request has arrived after it. */
  readonly isNewest: () => boolean;
  /** Its response has `Connection: close`. */
  readonly isLast: () => void;
  /** The request has arrived completely. */
  readonly arrived: () => void;
  /** The answer has been written completely. */
  readonly answered: () => void;
  readonly done: () => void;
}

export interface ConnectionsOptions {
  /** Age in milliseconds after which a connection ends. */
  readonly maxAge: number;
  /** Milliseconds for which clients may reuse an idle connection. */
  readonly keepAliveTimeout: number;
  /** Open connections; each needs memory, also when it is idle. */
  readonly max: number;
}

/**
 * All open connections of clients. It decides when each one ends.
 *
 * A connection ends with a response that says `Connection: close`, because its client has no other
 * request in flight. An idle one is closed only after the time for which its client may reuse it.
 * Earlier, it could meet a request in flight, and a lost POST is not retried.
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

  /** Connections with a call in flight. */
  get busy(): number {
    return [...this.#open.values()].filter(({ calls }) => calls > 0).length;
  }

  get streams(): number {
    return [...this.#open.values()].reduce((total, { streams }) => total + streams, 0);
  }

  /** Adds a connection. If there are too many, another one makes room, or it is closed. */
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
   * Registers a request. Returns undefined if it must not be processed: its connection is ending,
   * has too many requests in flight, or has a listen stream, behind which it would never be
   * answered.
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

  isIdle(socket: Socket): boolean {
    const { calls, streams } = this.#open.get(socket) ?? { calls: 0, streams: 0 };
    return calls + streams === 0;
  }

  /** Whether the next response must be the last on this connection. */
  mustEnd(socket: Socket): boolean {
    return this.#draining || performance.now() >= (this.#open.get(socket)?.endsAt ?? 0);
  }

  /** From now on every response is the last of its connection. */
  drain(): void {
    this.#draining = true;
    clearInterval(this.#sweep);
    this.#sweep = this.#sweepEvery(DRAIN_SWEEP_INTERVAL);
  }

  /** Resolves when only streams are left. */
  async onlyStreams(): Promise<void> {
    await this.#until(() => [...this.#open.values()].every(({ calls, streams }) => calls === 0 && streams > 0));
  }

  async none(): Promise<void> {
    await this.#until(() => this.#open.size === 0);
  }

  /** Closes all connections, with calls in flight. */
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
   * Closes a connection to make room. In order of preference: the oldest one without any request;
   * one that its client may not reuse any more; one that only waits for a slow client; an idle one
   * of another address that has more than half of all.
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

  /** Connections of another address that has more than half of those allowed. */
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
