import type { Config } from "../config.ts";
import { guarded } from "../health/guarded.ts";
import type { Dependency } from "../health/health.ts";
import type { Breaker } from "../resilience/breaker.ts";
import type { BreakerRegistry } from "../resilience/breaker-registry.ts";
import type { Redis } from "../redis/redis.ts";
import type { Collector } from "../telemetry/collector.ts";
import type { Logger } from "../telemetry/logger.ts";
import { Disk } from "./disk/disk.ts";
import { Drain } from "./drain.ts";
import { MemoryStore } from "./memory-store.ts";
import { RedisQueue } from "./redis/redis-queue.ts";
import { ResilientStore } from "./resilient-store.ts";
import { storeMetrics } from "./store-metrics.ts";

export interface CreateStoreOptions {
  readonly config: Pick<Config, "store" | "breakers">;
  readonly breakers: BreakerRegistry;
  /** Absent: writes wait in the journal only. */
  readonly redis: Redis | undefined;
  readonly logger: Logger;
}

export interface StoreParts {
  readonly store: ResilientStore;
  readonly dependency: Dependency;
  readonly metrics: readonly Collector[];
  /** To be called after the last call. */
  close(): Promise<void>;
}

/**
 * Creates the store. With a folder: on disk, with Redis and the journal as queues. Without: in
 * memory and without queues, because a queued write would end in a store that is lost with the
 * process.
 */
export function createStore({ config, breakers, redis, logger }: CreateStoreOptions): StoreParts {
  const breaker = breakers.create({ name: "database", ...config.breakers.database, local: true });
  if (config.store === undefined) {
    const store = new MemoryStore();
    return {
      store: new ResilientStore({ store, breaker, queues: [] }),
      dependency: guarded(breaker, { hasFallback: false }),
      metrics: [],
      close: () => Promise.resolve(),
    };
  }

  const disk = new Disk(config.store);
  // A pod that has not settled its batch by this deadline is considered dead.
  const claimAfter = config.breakers.database.timeout + 1000;
  const queues = redis === undefined ? [disk.journal] : [new RedisQueue({ redis, claimAfter }), disk.journal];
  const drains = queues.map((queue) => new Drain({ queue, store: disk, breaker }));
  for (const drain of drains) logWhatHappens(drain, logger);
  const store = new ResilientStore({ store: disk, breaker, queues });
  return {
    store,
    dependency: dependencyOf(breaker, drains),
    metrics: storeMetrics(store, drains),
    async close() {
      await Promise.all(drains.map((drain) => drain.close()));
      await disk.close();
    },
  };
}

/** Degraded also while writes wait for it. */
function dependencyOf(breaker: Breaker, drains: readonly Drain[]): Dependency {
  const guard = guarded(breaker, { hasFallback: true });
  return {
    name: guard.name,
    health() {
      const waiting = drains.reduce((sum, { stats }) => sum + stats.depth, 0);
      return { ...guard.health(), ...(waiting > 0 && { status: "degraded", detail: `${waiting} writes wait for it` }) };
    },
  };
}

function logWhatHappens(drain: Drain, logger: Logger): void {
  drain.events.on((event) => {
    const { type, queue } = event;
    if (type === "drained") logger.info({ queue, writes: event.writes }, "writes that waited are in the store");
    else if (type === "refused") logger.warn({ queue, reason: event.reason }, "the store refuses a write that waits");
    else logger.warn({ queue, err: event.error }, "writes that wait cannot be brought to the store");
  });
}
