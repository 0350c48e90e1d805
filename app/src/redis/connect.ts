import type { RedisConfig } from "../config/redis.ts";
import type { Dependency } from "../health/health.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Redis } from "./redis.ts";

/**
 * Starts to connect, and logs when Redis becomes available or unavailable. The client library is
 * loaded here, because it needs memory.
 */
export async function connectRedis(config: RedisConfig, logger: Logger): Promise<Redis> {
  const { RedisConnection } = await import("./connection.ts");
  const redis = new RedisConnection(config);
  redis.events.on((event) => {
    if (event.type === "up") logger.info("Redis is available: pods share their state");
    else logger.warn({ reason: event.reason }, "Redis is down: this pod continues with its own state");
  });
  return redis;
}

/** Without Redis all calls are answered, with this pod's own state. */
export function redisHealth(redis: Redis): Dependency {
  return {
    name: "redis",
    health: () =>
      redis.available
        ? { status: "healthy" }
        : { status: "degraded", detail: "down; this pod continues with its own state" },
  };
}
