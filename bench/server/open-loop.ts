import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/** Below the server's own limit: a client that opens more would measure that limit. */
const MAX_CONNECTIONS = 1800;

/**
 * Opened before the first call. A burst of new ones would overflow the operating system's queue,
 * and wait for a second.
 */
const FIRST_CONNECTIONS = 300;

/** Milliseconds after the last call was sent in which answers still count. */
const GRACE = 2000;

/** One call, when it was due and how it ended. */
export interface Sample {
  /**
   * Milliseconds from the moment at which the call was due; absent for one that was never answered.
   */
  readonly latency?: number;
  /** HTTP status; 0 for a call that was never answered. */
  readonly status: number;
}

export interface OpenLoopOptions {
  readonly port: number;
  /** One request, as bytes. */
  readonly request: Buffer;
  /** Calls a second. They are sent when they are due, whether earlier ones were answered or not. */
  readonly rate: number;
  /** Seconds. */
  readonly warmUp: number;
  readonly seconds: number;
  /** Called when the warm-up has ended. */
  readonly begin?: () => Promise<void>;
  /** Called when the last call was sent. */
  readonly end?: () => Promise<void>;
}

/**
 * Calls a server at a steady rate and returns what became of each call after the warm-up. Latency
 * counts from the moment at which a call was due, so that a server that delays its client does not
 * look faster. The arrivals are random (Poisson), as those of many independent clients are.
 */
export async function openLoop(options: OpenLoopOptions): Promise<Sample[]> {
  const { port, request, rate, warmUp, seconds } = options;
  const clients = new Clients(port, request);
  await clients.open(FIRST_CONNECTIONS);
  await run(clients, rate, warmUp, () => undefined);
  await options.begin?.();
  const samples: Sample[] = [];
  const sent = await run(clients, rate, seconds, (sample) => samples.push(sample));
  await options.end?.();
  const until = performance.now() + GRACE;
  while (samples.length < sent && performance.now() < until) await sleep(10);
  while (samples.length < sent) samples.push({ status: 0 });
  clients.close();
  return samples;
}

/** Returns how many calls were sent. */
async function run(clients: Clients, rate: number, seconds: number, done: (sample: Sample) => void): Promise<number> {
  const start = performance.now();
  let due = start;
  let sent = 0;
  while (performance.now() - start < seconds * 1000) {
    while (due <= performance.now()) {
      clients.call(due, done);
      sent += 1;
      due += (-Math.log(1 - Math.random()) * 1000) / rate;
    }
    await sleep(1);
  }
  return sent;
}

/** Connections, each with one call under way or idle. */
class Clients {
  readonly #port: number;
  readonly #request: Buffer;
  readonly #idle: Connection[] = [];
  readonly #all = new Set<Connection>();

  constructor(port: number, request: Buffer) {
    this.#port = port;
    this.#request = request;
  }

  async open(count: number): Promise<void> {
    for (let index = 0; index < count; index += 1) {
      const connection = this.#open();
      await connection?.opened;
      if (connection !== undefined) this.#idle.push(connection);
    }
  }

  call(due: number, done: (sample: Sample) => void): void {
    const connection = this.#idle.pop() ?? this.#open();
    if (connection === undefined) {
      done({ status: 0 });
      return;
    }
    connection.ask(this.#request, (status) => {
      done(status === 0 ? { status } : { status, latency: performance.now() - due });
      if (connection.isOpen) this.#idle.push(connection);
    });
  }

  close(): void {
    for (const connection of this.#all) connection.close();
  }

  #open(): Connection | undefined {
    if (this.#all.size >= MAX_CONNECTIONS) return undefined;
    const connection = new Connection(this.#port, () => {
      this.#all.delete(connection);
      const at = this.#idle.indexOf(connection);
      if (at >= 0) this.#idle.splice(at, 1);
    });
    this.#all.add(connection);
    return connection;
  }
}

/** As little of an HTTP client as is needed: its cost must not be the limit. */
class Connection {
  readonly opened: Promise<unknown>;
  readonly #socket: Socket;
  #answered: ((status: number) => void) | undefined;
  #text = "";

  constructor(port: number, closed: () => void) {
    this.#socket = connect(port, "127.0.0.1")
      .setNoDelay()
      .setEncoding("latin1")
      .on("data", (text: string) => {
        this.#read(text);
      })
      .on("error", () => undefined)
      .on("close", () => {
        closed();
        this.#end(0);
      });
    this.opened = once(this.#socket, "connect");
  }

  get isOpen(): boolean {
    return !this.#socket.destroyed;
  }

  ask(request: Buffer, answered: (status: number) => void): void {
    this.#answered = answered;
    this.#socket.write(request);
  }

  close(): void {
    this.#socket.destroy();
  }

  #read(text: string): void {
    this.#text += text;
    const head = this.#text.indexOf("\r\n\r\n");
    if (head < 0) return;
    const length = /\r\ncontent-length: (\d+)/i.exec(this.#text.slice(0, head))?.[1];
    const isWhole =
      length === undefined ? this.#text.endsWith("\r\n0\r\n\r\n") : this.#text.length >= head + 4 + Number(length);
    if (!isWhole) return;
    if (/\r\nconnection: close/i.test(this.#text.slice(0, head))) this.#socket.destroy();
    this.#end(Number(this.#text.slice(9, 12)));
  }

  #end(status: number): void {
    const answered = this.#answered;
    this.#answered = undefined;
    this.#text = "";
    answered?.(status);
  }
}
