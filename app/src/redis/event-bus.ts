import { randomUUID } from "node:crypto";
import { InMemoryServerEventBus, type ServerEvent, type ServerEventBus } from "@modelcontextprotocol/server";
import { z } from "zod";
import { readMessage } from "./message.ts";
import type { Redis } from "./redis.ts";

const messageSchema = z.object({
  from: z.string(),
  event: z.discriminatedUnion("kind", [
    z.object({ kind: z.enum(["tools_list_changed", "prompts_list_changed", "resources_list_changed"]) }),
    z.object({ kind: z.literal("resource_updated"), uri: z.string() }),
  ]),
});

const LISTS = ["tools_list_changed", "prompts_list_changed", "resources_list_changed"] as const;

/**
 * Carries change notifications to the clients of all pods.
 *
 * Clients of this pod get them at once. While Redis is down, clients of other pods do not.
 * Afterwards, every pod tells its clients that its lists may have changed, because notifications
 * may be missing.
 */
export class EventBus implements ServerEventBus {
  readonly #here = new InMemoryServerEventBus();
  readonly #redis: Redis | undefined;
  readonly #from = randomUUID();

  /** @param redis - without it, only clients of this pod are notified */
  constructor(redis?: Redis) {
    this.#redis = redis;
    if (redis === undefined) return;
    redis.subscribe(channelOf(redis), (message) => {
      this.#hear(message);
    });
    let wasDown = false;
    redis.events.on(({ type }) => {
      if (type === "down") wasDown = true;
      else if (wasDown) for (const kind of LISTS) this.#here.publish({ kind });
    });
  }

  publish(event: ServerEvent): void {
    this.publishHere(event);
    const redis = this.#redis;
    if (redis === undefined) return;
    // Nobody waits for it, and a failure has no consequence here.
    redis.publish(channelOf(redis), JSON.stringify({ from: this.#from, event })).catch(() => undefined);
  }

  /** Notifies only clients of this pod: for changes that every pod detects itself. */
  publishHere(event: ServerEvent): void {
    this.#here.publish(event);
  }

  subscribe(listener: (event: ServerEvent) => void): () => void {
    return this.#here.subscribe(listener);
  }

  #hear(message: string): void {
    const said = readMessage(messageSchema, message);
    if (said !== undefined && said.from !== this.#from) this.#here.publish(said.event);
  }
}

function channelOf({ prefix }: Redis): string {
  return `${prefix}:events`;
}
