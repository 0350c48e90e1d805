import { createClient, createCluster, RESP_TYPES } from "@redis/client";
import type { RedisConfig } from "../config/redis.ts";
import type { CommandOptions } from "./redis.ts";

/** Longest pause between connection attempts, in milliseconds. */
const MAX_RECONNECT_DELAY = 2000;

const BINARY = { typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } };

/** The common part of a standalone client and a cluster client that the app uses. */
export interface Client {
  connect(): Promise<unknown>;
  destroy(): void;
  send(args: (string | Buffer)[], options: CommandOptions): Promise<unknown>;
  subscribe(channel: string, listener: (message: string) => void): Promise<unknown>;
  unsubscribe(channel: string): Promise<unknown>;
  /** The known nodes of a cluster. */
  nodes(): readonly ClusterNode[];
}

export interface ClusterNode {
  readonly host: string;
  readonly port: number;
}

export interface ClientOptions {
  /** More nodes of a cluster to try, if the configured one is gone. */
  readonly nodes: readonly ClusterNode[];
  /** Milliseconds. */
  readonly connectTimeout: number;
  /** Commands can be sent, for the first time or again. */
  readonly ready: () => void;
  readonly lost: (reason: string) => void;
}

/** Creates the library's client. It rejects commands that cannot be sent now. */
export function createLibraryClient(
  { url, cluster }: Pick<RedisConfig, "url" | "cluster">,
  { nodes: known, connectTimeout, ready, lost }: ClientOptions,
): Client {
  const shared = {
    disableOfflineQueue: true,
    disableClientInfo: true,
    maintNotifications: "disabled",
    socket: {
      connectTimeout,
      reconnectStrategy: (retries: number) =>
        Math.min(50 * 2 ** retries, MAX_RECONNECT_DELAY) * (0.75 + Math.random() / 2),
    },
  } as const;

  if (!cluster) {
    const client = createClient({ ...shared, url });
    client.on("ready", ready).on("error", (error: unknown) => {
      if (!client.isReady) lost(textOf(error));
    });
    return {
      connect: () => client.connect(),
      destroy: () => {
        if (client.isOpen) client.destroy();
      },
      send: (args, { binary }) => client.sendCommand(args, binary === true ? BINARY : undefined),
      subscribe: (channel, listener) => client.subscribe(channel, listener),
      unsubscribe: (channel) => client.unsubscribe(channel),
      nodes: () => [],
    };
  }

  const { username, password, protocol } = new URL(url);
  const nodes = createCluster({
    rootNodes: [{ url }, ...known.map((socket) => ({ socket }))],
    defaults: {
      ...shared,
      ...(username === "" ? {} : { username: decodeURIComponent(username) }),
      ...(password === "" ? {} : { password: decodeURIComponent(password) }),
      socket: protocol === "rediss:" ? { ...shared.socket, tls: true } : shared.socket,
    },
  });
  // Failed commands report it.
  nodes.on("error", () => undefined);
  return {
    connect: () => nodes.connect().then(ready),
    destroy: () => {
      if (nodes.isOpen) nodes.destroy();
    },
    send: (args, { key = args[1], binary }) =>
      nodes.sendCommand(typeof key === "string" ? key : undefined, false, args, binary === true ? BINARY : undefined),
    subscribe: (channel, listener) => nodes.subscribe(channel, listener),
    unsubscribe: (channel) => nodes.unsubscribe(channel),
    nodes: () => nodes.masters.map(({ host, port }) => ({ host, port })),
  };
}

export function textOf(error: unknown): string {
  return error instanceof Error && error.message !== "" ? error.message : String(error);
}
