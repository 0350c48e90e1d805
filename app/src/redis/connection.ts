import { ErrorReply } from "@redis/client";
import type { RedisConfig } from "../config/redis.ts";
import { Emitter } from "../resilience/emitter.ts";
import { SYSTEM_TIME } from "../resilience/time.ts";
import { createLibraryClient, textOf, type Client, type ClusterNode } from "./redis-client.ts";
import { RedisUnavailable, type CommandOptions, type Redis, type RedisEvent } from "./redis.ts";
import type { Script } from "./script.ts";

/** Commands in flight; more are rejected, so that a slow Redis needs no memory. */
const MAX_IN_FLIGHT = 10_000;

/** Checks the server; in a cluster it succeeds when every primary has answered. */
const PING = ["PING"];

/** A connection is replaced after being silent for this many command timeouts. */
const SILENCE_FACTOR = 5;

/**
 * The app's connection to Redis, or to each node of a cluster.
 *
 * The library reconnects a broken connection, but waits for one that hangs. So each command has a
 * time limit here. After it, Redis counts as down and gets no commands until a late answer arrives
 * or a new connection is made. A cluster is down while any node does not answer.
 * docs/decisions/redis-connection.md says what each part is for.
 */
export class RedisConnection implements Redis {
  readonly prefix: string;
  readonly events = new Emitter<RedisEvent>();
  readonly #config: RedisConfig;
  readonly #channels = new Map<string, Channel>();
  readonly #watch: NodeJS.Timeout;
  #client: Client;
  #nodes: readonly ClusterNode[] = [];
  #isConnected = false;
  #isClosed = false;
  /** State of the last event. */
  #isUp: boolean | undefined;
  /** When the oldest overdue command was sent, or since when there is no connection. */
  #silentSince: number | undefined = SYSTEM_TIME.now();
  #lastAnswer = SYSTEM_TIME.now();
  #connectedAt = 0;
  #lastError = "not connected yet";
  #inFlight = 0;

  /** Starts to connect without waiting. */
  constructor(config: RedisConfig) {
    this.prefix = config.prefix;
    this.#config = config;
    this.#client = this.#connect();
    this.#watch = setInterval(() => {
      this.#look();
    }, config.timeout).unref();
  }

  get available(): boolean {
    return this.#isConnected && this.#silentSince === undefined;
  }

  async command(args: readonly (string | Buffer)[], options: CommandOptions = {}): Promise<unknown> {
    if (!this.available) throw new RedisUnavailable(`Redis is not available: ${this.#lastError}`);
    return this.#ask(args, options);
  }

  async run(
    script: Script,
    keys: readonly string[],
    args: readonly (string | number | Buffer)[],
    { binary = false }: Pick<CommandOptions, "binary"> = {},
  ): Promise<unknown> {
    const parameters = [
      String(keys.length),
      ...keys,
      ...args.map((arg) => (typeof arg === "number" ? String(arg) : arg)),
    ];
    const options = { binary, ...(keys[0] !== undefined && { key: keys[0] }) };
    try {
      return await this.command(["EVALSHA", script.sha1, ...parameters], options);
    } catch (error) {
      if (!(error instanceof Error && error.message.startsWith("NOSCRIPT"))) throw error;
      return this.command(["EVAL", script.lua, ...parameters], options);
    }
  }

  subscribe(name: string, listener: (message: string) => void): () => void {
    const known = this.#channels.get(name);
    const channel = known ?? new Channel(name);
    channel.listeners.add(listener);
    if (known === undefined) {
      this.#channels.set(name, channel);
      if (this.#isConnected) listen(this.#client, channel);
    }
    return () => {
      channel.listeners.delete(listener);
      if (channel.listeners.size > 0 || this.#channels.get(name) !== channel) return;
      this.#channels.delete(name);
      this.#client.unsubscribe(name).catch(ignored);
    };
  }

  publish(channel: string, message: string): Promise<unknown> {
    return this.command(["PUBLISH", channel, message]);
  }

  close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#watch);
    this.#lost("closed");
    this.#client.destroy();
    return Promise.resolve();
  }

  async #ask(args: readonly (string | Buffer)[], options: CommandOptions): Promise<unknown> {
    if (this.#inFlight >= MAX_IN_FLIGHT) throw new RedisUnavailable(`Redis owes ${MAX_IN_FLIGHT} answers already`);
    const client = this.#client;
    const askedAt = SYSTEM_TIME.now();
    this.#inFlight += 1;
    const answer = client.send([...args], options).finally(() => {
      this.#inFlight -= 1;
    });
    // A late answer, or an error reply, shows that Redis works.
    answer.then(
      () => {
        this.#answered(client, args === PING);
      },
      (error: unknown) => {
        if (error instanceof ErrorReply) this.#answered(client);
        // In a cluster, only failed commands show that a node is gone.
        else if (this.#config.cluster) this.#missed(client, askedAt, textOf(error));
        // The server has become a replica: its address may lead to the new primary by now.
        if (error instanceof ErrorReply && error.message.startsWith("READONLY")) this.#follow();
      },
    );
    const { timeout } = this.#config;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    let isOver = false;
    const giveUp = () => {
      if (isOver) return;
      this.#missed(client, askedAt, `no answer within ${timeout} ms`);
      reject(new RedisUnavailable(`Redis did not answer within ${timeout} ms`));
    };
    // First reads what has arrived: this process may have been blocked, and not Redis.
    const timer = setTimeout(() => setImmediate(giveUp), timeout);
    answer.then(resolve, (error: unknown) => {
      reject(error instanceof ErrorReply ? error : new RedisUnavailable(`Redis is not available: ${textOf(error)}`));
    });
    try {
      return await promise;
    } finally {
      isOver = true;
      clearTimeout(timer);
    }
  }

  #answered(client: Client, isEveryNode = false): void {
    if (client !== this.#client || !this.#isConnected) return;
    this.#lastAnswer = SYSTEM_TIME.now();
    // An answer from one node says nothing about the silent node.
    if (this.#config.cluster && this.#silentSince !== undefined && !isEveryNode) return;
    this.#silentSince = undefined;
    this.#tell();
  }

  #missed(client: Client, askedAt: number, reason: string): void {
    if (client !== this.#client || !this.#isConnected) return;
    this.#lastError = reason;
    this.#silentSince ??= askedAt;
    this.#tell();
  }

  /** Replaces a connection that is silent for too long; sends a PING after a quiet time. */
  #look(): void {
    const limit = SILENCE_FACTOR * this.#config.timeout;
    const now = SYSTEM_TIME.now();
    const isSilent = this.#silentSince !== undefined;
    if (this.#silentSince !== undefined && now - this.#silentSince > limit) this.#replace(this.#lastError);
    else if (this.#isConnected && (isSilent ? this.#config.cluster : now - this.#lastAnswer > limit))
      this.#ask(PING, {}).catch(ignored);
  }

  /** Connects again to the same address, but not after every error, because failover takes time. */
  #follow(): void {
    if (SYSTEM_TIME.now() - this.#connectedAt > this.#config.timeout) this.#replace("it has become a replica");
  }

  #replace(reason: string): void {
    if (this.#isClosed) return;
    const before = this.#client;
    const nodes = before.nodes();
    if (nodes.length > 0) this.#nodes = nodes;
    this.#lost(reason);
    this.#silentSince = SYSTEM_TIME.now();
    this.#client = this.#connect();
    before.destroy();
  }

  #connect(): Client {
    const client: Client = createLibraryClient(this.#config, {
      nodes: this.#nodes,
      connectTimeout: SILENCE_FACTOR * this.#config.timeout,
      ready: () => {
        if (client !== this.#client) return;
        this.#isConnected = true;
        this.#connectedAt = SYSTEM_TIME.now();
        this.#answered(client, true);
        for (const channel of this.#channels.values()) listen(client, channel);
      },
      lost: (reason) => {
        if (client === this.#client) this.#lost(reason);
      },
    });
    // After the caller has stored the client.
    queueMicrotask(() => {
      client.connect().catch((error: unknown) => {
        if (client === this.#client) this.#lost(textOf(error));
      });
    });
    return client;
  }

  #lost(reason: string): void {
    this.#isConnected = false;
    this.#lastError = reason;
    this.#silentSince ??= SYSTEM_TIME.now();
    this.#tell();
  }

  #tell(): void {
    if (this.available === this.#isUp) return;
    this.#isUp = this.available;
    this.events.emit(this.#isUp ? { type: "up" } : { type: "down", reason: this.#lastError });
  }
}

/** A channel and its listeners. The library gets one callback, so that it never calls twice. */
class Channel {
  readonly name: string;
  readonly listeners = new Set<(message: string) => void>();
  readonly deliver = (message: string): void => {
    for (const listener of this.listeners) listener(message);
  };

  constructor(name: string) {
    this.name = name;
  }
}

function listen(client: Client, { name, deliver }: Channel): void {
  // After a failure, the next connection subscribes again.
  client.subscribe(name, deliver).catch(ignored);
}

/** Reported elsewhere: by events, or by the next command. */
function ignored(): void {
  return;
}
