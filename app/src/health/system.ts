import { readdirSync, readFileSync } from "node:fs";
import { loadavg, totalmem } from "node:os";
import { monitorEventLoopDelay, performance } from "node:perf_hooks";
import { getHeapStatistics } from "node:v8";
import { z } from "zod";

/** Milliseconds over which the event loop is measured: one stall is no problem. */
const WINDOW = 10_000;

/** Milliseconds for which a report is reused, because measuring has a cost. */
const FRESH = 1000;

/** Shares above which the pod is degraded. */
const MAX_MEMORY = 0.9;
const MAX_BUSY = 0.95;
const MAX_FILES = 0.8;

/** The resources of this process, and whether they are running out. */
export const systemHealth = z.object({
  // Never critical: another pod would not have more.
  status: z.enum(["healthy", "degraded"]),
  /** Reasons for `degraded`, one sentence each. */
  reasons: z.array(z.string()),
  /** Share of time in which it was busy; delay of timers in milliseconds, 99th percentile. */
  eventLoop: z.object({ utilization: z.number(), lagP99Ms: z.number() }),
  memory: z.object({
    heapUsedBytes: z.number(),
    heapLimitBytes: z.number(),
    rssBytes: z.number(),
    /** Memory limit of the container, if there is one. */
    limitBytes: z.number().optional(),
  }),
  /** Absent if the system does not report it. */
  openFiles: z.object({ count: z.number(), limit: z.number() }).optional(),
  /** Load average of the machine over one minute. */
  load: z.number(),
});

export type SystemHealth = Readonly<z.output<typeof systemHealth>>;

/** Milliseconds between two measurements of the event loop. */
const RESOLUTION = 20;

/** Shared: a process has one event loop. */
let delays: ReturnType<typeof startWatching> | undefined;

export class SystemResources {
  #since = performance.eventLoopUtilization();
  #sinceAt = performance.now();
  /** Result of the latest complete window. */
  #eventLoop: SystemHealth["eventLoop"] | undefined;
  #last: SystemHealth | undefined;
  #lastAt = 0;
  readonly #delays = (delays ??= startWatching());
  readonly #fileLimit = readFileLimit();

  health(): SystemHealth {
    const now = performance.now();
    if (this.#last === undefined || now - this.#lastAt >= FRESH) {
      this.#last = this.#look(now);
      this.#lastAt = now;
    }
    return this.#last;
  }

  #look(now: number): SystemHealth {
    const { heap_size_limit: heapLimitBytes } = getHeapStatistics();
    const { heapUsed: heapUsedBytes, rss: rssBytes } = process.memoryUsage();
    const limitBytes = memoryLimit();
    const count = countFiles();
    const limit = this.#fileLimit;
    const measured = {
      eventLoop: this.#lookAtEventLoop(now),
      memory: { heapUsedBytes, heapLimitBytes, rssBytes, ...(limitBytes === undefined ? {} : { limitBytes }) },
      ...(count === undefined || limit === undefined ? {} : { openFiles: { count, limit } }),
      load: loadavg()[0] ?? 0,
    };
    // Before the end of the first window, the process is still starting.
    const reasons = troubles(measured, this.#eventLoop !== undefined);
    return { status: reasons.length === 0 ? "healthy" : "degraded", reasons, ...measured };
  }

  /** Before the end of the first window, the result so far. */
  #lookAtEventLoop(now: number): SystemHealth["eventLoop"] {
    const isOver = now - this.#sinceAt >= WINDOW;
    if (!isOver && this.#eventLoop !== undefined) return this.#eventLoop;
    const eventLoop = {
      utilization: performance.eventLoopUtilization(this.#since).utilization || 0,
      lagP99Ms: Math.max(0, this.#delays.percentile(99) / 1e6 - RESOLUTION),
    };
    if (!isOver) return eventLoop;
    this.#since = performance.eventLoopUtilization();
    this.#sinceAt = now;
    this.#delays.reset();
    this.#eventLoop = eventLoop;
    return eventLoop;
  }
}

/**
 * The resources that are running out, one sentence each.
 *
 * @param isRunning - whether the event loop was measured for long enough
 */
export function troubles(measured: Omit<SystemHealth, "status" | "reasons">, isRunning: boolean): string[] {
  const { eventLoop, memory, openFiles } = measured;
  const { heapUsedBytes, heapLimitBytes, rssBytes, limitBytes = Infinity } = memory;
  const found: string[] = [];
  if (isRunning && eventLoop.utilization > MAX_BUSY)
    found.push(`the event loop was busy ${percent(eventLoop.utilization)} of the time`);
  if (heapUsedBytes > MAX_MEMORY * heapLimitBytes)
    found.push(`${percent(heapUsedBytes / heapLimitBytes)} of the heap is in use`);
  if (rssBytes > MAX_MEMORY * limitBytes)
    found.push(`${percent(rssBytes / limitBytes)} of the container's memory is in use`);
  if (openFiles !== undefined && openFiles.count > MAX_FILES * openFiles.limit)
    found.push(`${openFiles.count} of the ${openFiles.limit} files that may be open are`);
  return found;
}

const percent = (part: number): string => `${Math.round(part * 100)} %`;

function startWatching() {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION });
  histogram.enable();
  return histogram;
}

/** The container's limit, unless the machine has less memory. */
function memoryLimit(): number | undefined {
  const limit = process.constrainedMemory();
  return limit > 0 && limit < totalmem() ? limit : undefined;
}

function countFiles(): number | undefined {
  try {
    return readdirSync("/proc/self/fd").length;
  } catch {
    return undefined;
  }
}

function readFileLimit(): number | undefined {
  try {
    const [, limit] = /^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8")) ?? [];
    return limit === undefined ? undefined : Number(limit);
  } catch {
    return undefined;
  }
}
