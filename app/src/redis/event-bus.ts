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
 * Carries change notifications to the clients of all pods: whoever listens is connected to one pod, and what changes may change on another.
 *
 * Clients of this pod hear of it at once. While Redis is away those of others do not; when it is back, every pod tells its own that its lists
 * may have changed, since nobody knows what was missed.
 */
export class EventBus implements ServerEventBus {
  readonly #here = new InMemoryServerEventBus();
  readonly #redis: Redis | undefined;
  readonly #from = randomUUID();

  /** @param redis - without one there are only the clients of this pod */
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
    // Nobody is there to wait for it, or to be told that others did not hear.
    redis.publish(channelOf(redis), JSON.stringify({ from: this.#from, event })).catch(() => undefined);
  }

  /** To this pod's clients only: of what every pod notices by itself. */
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
