import { RedisConnection } from "../../../app/src/redis/connection.ts";
import type { Redis, RedisEvent } from "../../../app/src/redis/redis.ts";

const open: Redis[] = [];

export interface TestConnection {
  readonly cluster?: boolean;
  /** @default 200 */
  readonly timeout?: number;
}

/** A connection that may not be there yet. */
export function connect(url: string, { cluster = false, timeout = 200 }: TestConnection = {}): Redis {
  const redis = new RedisConnection({ url, cluster, prefix: "mcp", timeout });
  open.push(redis);
  return redis;
}

export async function connected(url: string, options?: TestConnection): Promise<Redis> {
  const redis = connect(url, options);
  await next(redis, "up");
  return redis;
}

/** The next time that Redis comes or goes. */
export function next(redis: Redis, type: RedisEvent["type"]): Promise<RedisEvent> {
  return new Promise((resolve) => {
    const stop = redis.events.on((event) => {
      if (event.type !== type) return;
      stop();
      resolve(event);
    });
  });
}

export async function closeConnections(): Promise<void> {
  await Promise.all(open.splice(0).map((redis) => redis.close()));
}
