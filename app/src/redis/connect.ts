import type { RedisConfig } from "../config/redis.ts";
import type { Dependency } from "../health/health.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Redis } from "./redis.ts";

/** Starts to connect, and says in the log when Redis comes and goes. The client library is loaded only now: it costs memory. */
export async function connectRedis(config: RedisConfig, logger: Logger): Promise<Redis> {
  const { RedisConnection } = await import("./connection.ts");
  const redis = new RedisConnection(config);
  redis.events.on((event) => {
    if (event.type === "up") logger.info("Redis is there: state is shared with other pods");
    else logger.warn({ reason: event.reason }, "Redis is away: going on with this pod's own state");
  });
  return redis;
}

/** Losing it makes answers a little less good, and never none. */
export function redisHealth(redis: Redis): Dependency {
  return {
    name: "redis",
    health: () =>
      redis.available
        ? { status: "healthy" }
        : { status: "degraded", detail: "away; this pod goes on with its own state" },
  };
}
