import { createHash } from "node:crypto";
import { warnOfProgrammingError } from "../resilience/programming-error.ts";
import type { RateLimiter } from "../resilience/rate-limiter.ts";
import { SYSTEM_TIME } from "../resilience/time.ts";
import { RedisUnavailable, type Redis } from "./redis.ts";
import { loadScript } from "./script.ts";

const takeTokens = loadScript("redis/take-tokens.lua");

/** Milliseconds between two reports under load; the first call after a pause is reported at once. */
const REPORT_INTERVAL = 20;

/** Milliseconds until a Redis that has refused a report is told the next one. */
const RETRY_INTERVAL = 1000;

/** Clients in one report. What is more waits for the next one. */
const MAX_CLIENTS = 500;

/** Clients whose calls are still to be reported; more than one pod's limiter tells apart. */
const MAX_WAITING = 20_000;

/**
 * Makes a client's rate the same however many pods it calls.
 *
 * The limiter decides by itself, at once, as ever. What it let through is reported in the background, and what comes back, the client's
 * calls to all pods, empties the bucket here too. So a client that calls several pods at the very same time gets more than its burst, by
 * what they let through within one report, and pays for it right after.
 *
 * Without Redis each pod holds a client to the full rate on its own.
 *
 * @returns ends it
 */
export function shareRateLimit(limiter: RateLimiter, redis: Redis): () => void {
  const taken = new Map<string, number>();
  let timer: NodeJS.Timeout | undefined;
  let isReporting = false;
  /** When the first of the failed reports was made. */
  let failedSince: number | undefined;

  /** Resolves with the milliseconds until the next one may be made. */
  async function report(): Promise<number> {
    const { interval, capacity } = limiter;
    const now = SYSTEM_TIME.now();
    // A late report leaves out what the bucket has gained since.
    const over = failedSince === undefined ? 0 : (now - failedSince) / interval;
    const batch = [...taken].slice(0, MAX_CLIENTS);
    for (const [client] of batch) taken.delete(client);
    const due = batch.filter(([, count]) => count > over);
    const keys = due.map(([client]) => `${redis.prefix}:{rate:${limiter.name}}:${digest(client)}`);
    try {
      if (due.length > 0) {
        const counts = due.map(([, count]) => count - over);
        const left = await redis.run(takeTokens, keys, [interval, capacity, ...counts]);
        if (!Array.isArray(left)) return REPORT_INTERVAL;
        for (const [index, [client]] of due.entries()) limiter.drain(client, Number(left[index]));
      }
      if (batch.length < MAX_CLIENTS) failedSince = undefined;
      return REPORT_INTERVAL;
    } catch (error) {
      // Reported again as soon as Redis answers.
      warnOfProgrammingError(error);
      failedSince ??= now;
      for (const [client, count] of due) note(client, count);
      return error instanceof RedisUnavailable ? REPORT_INTERVAL : RETRY_INTERVAL;
    }
  }

  function note(client: string, count: number): void {
    const before = taken.get(client);
    // There is always room for those that the limiter itself tells apart.
    if (before === undefined && taken.size >= MAX_WAITING) return;
    taken.set(client, (before ?? 0) + count);
  }

  function reportSoon(): void {
    if (isReporting || taken.size === 0 || !redis.available) return;
    isReporting = true;
    // Calls of the same turn make one report.
    setImmediate(() => {
      void report().then((wait) => {
        timer = setTimeout(() => {
          isReporting = false;
          reportSoon();
        }, wait).unref();
      });
    });
  }

  limiter.onAdmission((client = "") => {
    // Without Redis each pod is on its own: what it lets through then is nobody else's business later.
    if (!redis.available) return;
    note(client, 1);
    reportSoon();
  });
  const stopListening = redis.events.on(({ type }) => {
    if (type === "up") reportSoon();
  });
  return () => {
    clearTimeout(timer);
    stopListening();
    limiter.onAdmission(undefined);
  };
}

/** Of bounded length, and says nobody's name. */
function digest(client: string): string {
  return createHash("sha256").update(client).digest("base64url").slice(0, 22);
}
