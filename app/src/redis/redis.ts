import type { Emitter } from "../resilience/emitter.ts";
import type { Script } from "./script.ts";

/**
 * Redis as the app uses it. It may be down at any time.
 *
 * Callers continue without it when a command is rejected: at once while it is down, and after
 * `REDIS_TIMEOUT` while it is slow. Keys are `${prefix}:…`; the keys of one script share a hash
 * tag, `{…}`, so that a cluster stores them together. Blocking commands are forbidden, because all
 * share one connection.
 */
export interface Redis {
  /** Prefix of every key and channel. */
  readonly prefix: string;

  /** Whether an answer can be expected: connected, and no answer is overdue. */
  readonly available: boolean;

  readonly events: Emitter<RedisEvent>;

  /**
   * Sends one command and resolves with its reply.
   *
   * @throws RedisUnavailable when there is no answer in time; Redis's error reply
   */
  command(args: readonly (string | Buffer)[], options?: CommandOptions): Promise<unknown>;

  /** Runs a script, which is sent to Redis once. Throws like `command`. */
  run(
    script: Script,
    keys: readonly string[],
    args: readonly (string | number | Buffer)[],
    options?: Pick<CommandOptions, "binary">,
  ): Promise<unknown>;

  /**
   * Calls back with each message, also after reconnections, until the returned function is called.
   */
  subscribe(channel: string, listener: (message: string) => void): () => void;

  publish(channel: string, message: string): Promise<unknown>;

  /** Ends the connection; commands in flight are rejected. */
  close(): Promise<void>;
}

export interface CommandOptions {
  /** Key that decides the node of a cluster. @default - the first argument */
  readonly key?: string;
  /** Whether strings in the reply are Buffers. @default false */
  readonly binary?: boolean;
}

/** Alternates between `down` and `up`. */
export type RedisEvent = { readonly type: "up" } | { readonly type: "down"; readonly reason: string };

/** Redis is down or too slow. Expected at any time. */
export class RedisUnavailable extends Error {
  override readonly name = "RedisUnavailable";
}
