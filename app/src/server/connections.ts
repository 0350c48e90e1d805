import type { Socket } from "node:net";

/** Ages vary by this share of the maximum, so that connections opened together do not end together. */
const JITTER = 0.1;

/** Milliseconds between looks for idle connections to close; a drain is in more of a hurry. */
const SWEEP_INTERVAL = 1000;
const DRAIN_SWEEP_INTERVAL = 50;

/**
 * Requests that one connection may have under way. Clients send the next one when they have an answer; what sends far more at once
 * (pipelining) would have all of them held here until they are answered in order.
 */
const MAX_UNDER_WAY = 100;

interface Connection {
  readonly endsAt: number;
  calls: number;
  streams: number;
  /** All that ever came. */
  requests: number;
  idleSince: number;
}

/** One request on a connection. */
export interface Exchange {
  /** It turned out to be a stream without an end of its own, which a drain does not wait for. */
  readonly isStream: () => void;
  readonly done: () => void;
}

export interface ConnectionsOptions {
  /** Milliseconds after which a connection is to end. */
  readonly maxAge: number;
  /** Milliseconds that clients are told they may reuse an idle connection. */
  readonly keepAliveTimeout: number;
  /** Connections that may be open; each costs memory, also when nothing comes over it. */
  readonly max: number;
}

/**
 * Knows every open connection, and which of them should end.
 *
 * A connection ends with a response that says `Connection: close`: then its client has nothing on the way. An idle one is closed
 * only once it was idle for longer than its client was told to reuse it; closing it any earlier could meet a request under way,
 * and a POST that dies so is not retried.
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

  /** A connection was opened. Where there are too many, one that nobody will miss makes room; if there is none, the new one goes. */
  add(socket: Socket): void {
    if (this.#open.size >= this.#options.max && !this.#makeRoom()) {
      socket.destroy();
      return;
    }
    const now = performance.now();
    const endsAt = now + this.#options.maxAge * (1 + JITTER * (2 * Math.random() - 1));
    this.#open.set(socket, { endsAt, calls: 0, streams: 0, requests: 0, idleSince: now });
    socket.once("close", () => {
      this.#open.delete(socket);
      this.#changed();
    });
  }

  /** A request has arrived. What comes behind a stream would wait for its end, which is that of the connection: so it ends at once. */
  begin(socket: Socket): Exchange {
    const connection = this.#open.get(socket);
    if (connection === undefined) return { isStream: () => undefined, done: () => undefined };
    if (connection.calls >= MAX_UNDER_WAY || connection.streams > 0) socket.destroy();
    connection.requests += 1;
    const { requests } = connection;
    let kind: "calls" | "streams" = "calls";
    connection[kind] += 1;
    return {
      isStream: () => {
        if (connection.requests > requests) socket.destroy();
        connection[kind] -= 1;
        kind = "streams";
        connection[kind] += 1;
        this.#changed();
      },
      done: () => {
        connection[kind] -= 1;
        connection.idleSince = performance.now();
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

  /** Closes the oldest connection that never brought a request, or else one that its client no longer counts on. */
  #makeRoom(): boolean {
    const now = performance.now();
    const connections = [...this.#open];
    const [victim] =
      connections.find(([, { requests }]) => requests === 0) ??
      connections.find(([, connection]) => this.#isDispensable(connection, now)) ??
      [];
    if (victim === undefined) return false;
    this.#open.delete(victim);
    victim.destroy();
    return true;
  }

  /** Idle for longer than its client was told to reuse it. */
  #isDispensable({ calls, streams, idleSince }: Connection, now: number): boolean {
    return calls + streams === 0 && now - idleSince > this.#options.keepAliveTimeout;
  }
}
