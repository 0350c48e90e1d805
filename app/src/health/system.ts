import { readdirSync, readFileSync } from "node:fs";
import { loadavg, totalmem } from "node:os";
import { monitorEventLoopDelay, performance } from "node:perf_hooks";
import { getHeapStatistics } from "node:v8";

/** Milliseconds over which the event loop is judged: a single stall is not yet trouble. */
const WINDOW = 10_000;

/** Milliseconds for which an answer stands, so that nobody can make looking the most costly thing there is. */
const FRESH = 1000;

/** Shares above which the pod is in trouble. */
const MAX_MEMORY = 0.9;
const MAX_BUSY = 0.95;
const MAX_FILES = 0.8;

/** What the process has of the machine, and whether it is about to run out. */
export interface SystemHealth {
  /** Never critical: another pod would not have more. */
  readonly status: "healthy" | "degraded";
  /** Why it is degraded, a sentence each. */
  readonly reasons: readonly string[];
  readonly eventLoop: {
    /** Share of the time in which it was busy. */
    readonly utilization: number;
    /** Milliseconds by which what was due came late, 99th percentile. */
    readonly lagP99Ms: number;
  };
  readonly memory: {
    readonly heapUsedBytes: number;
    readonly heapLimitBytes: number;
    readonly rssBytes: number;
    /** What the container may use; absent where nothing limits it. */
    readonly limitBytes?: number;
  };
  /** Absent where the system does not say. */
  readonly openFiles?: { readonly count: number; readonly limit: number };
  /** Processes that wanted to run, averaged over a minute, on the whole machine. */
  readonly load: number;
}

/** Milliseconds between two looks at the event loop. */
const RESOLUTION = 20;

/** One for the process: there is only one event loop to watch. */
let delays: ReturnType<typeof startWatching> | undefined;

/** Looks at the process's own resources. */
export class SystemResources {
  #since = performance.eventLoopUtilization();
  #sinceAt = performance.now();
  /** Of the latest whole window. */
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
    // What happens before the first window is over is the start.
    const reasons = troubles(measured, this.#eventLoop !== undefined);
    return { status: reasons.length === 0 ? "healthy" : "degraded", reasons, ...measured };
  }

  /** Before the first window is over, what there is so far. */
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
 * What is about to run out, a sentence each.
 *
 * @param isRunning - whether the event loop was watched for long enough to be judged
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

/** A limit beyond what the machine has limits nothing. */
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
