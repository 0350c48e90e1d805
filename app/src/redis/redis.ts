import type { Emitter } from "../resilience/emitter.ts";
import type { Script } from "./script.ts";

/**
 * Redis as the app uses it: it may be away at any time.
 *
 * Callers go on without it when it rejects, and make no client wait for it: while it is away, commands are rejected at once, and
 * while it is slow, after `REDIS_TIMEOUT`. Keys are `${prefix}:…`; those of one script share a hash tag, `{…}`, so that a
 * cluster has them in one place. Blocking commands are forbidden, because all share one connection.
 */
export interface Redis {
  /** What every key and channel begins with. */
  readonly prefix: string;

  /** Whether a command can be expected to be answered: connected, and no answer is overdue. */
  readonly available: boolean;

  readonly events: Emitter<RedisEvent>;

  /**
   * Sends one command and resolves with its reply.
   *
   * @throws RedisUnavailable when there is no answer in time; what Redis itself says against the command
   */
  command(args: readonly (string | Buffer)[], options?: CommandOptions): Promise<unknown>;

  /** Runs a script, which Redis needs to be told only once. Throws like `command`. */
  run(
    script: Script,
    keys: readonly string[],
    args: readonly (string | number | Buffer)[],
    options?: Pick<CommandOptions, "binary">,
  ): Promise<unknown>;

  /** Calls back with each message on a channel, after every reconnection too, until the returned function is called. */
  subscribe(channel: string, listener: (message: string) => void): () => void;

  publish(channel: string, message: string): Promise<unknown>;

  /** Ends the connection; commands under way are rejected. */
  close(): Promise<void>;
}

export interface CommandOptions {
  /** The key that decides which node of a cluster is asked. @default - the first argument, if there is one */
  readonly key?: string;
  /** Whether strings in the reply come as a Buffer. @default false */
  readonly binary?: boolean;
}

/** `down` and `up` take turns. */
export type RedisEvent = { readonly type: "up" } | { readonly type: "down"; readonly reason: string };

/** Redis is away or too slow. Expected, at any time. */
export class RedisUnavailable extends Error {
  override readonly name = "RedisUnavailable";
}
