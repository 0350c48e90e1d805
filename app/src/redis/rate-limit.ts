import { createHash } from "node:crypto";
import { warnOfProgrammingError } from "../resilience/programming-error.ts";
import type { RateLimiter } from "../resilience/rate-limiter.ts";
import { SYSTEM_TIME } from "../resilience/time.ts";
import { RedisUnavailable, type Redis } from "./redis.ts";
import { loadScript } from "./script.ts";

const takeTokens = loadScript("redis/take-tokens.lua");

/** Milliseconds between two reports under load; the first one after a pause is sent at once. */
const REPORT_INTERVAL = 20;

/** Milliseconds between reports after Redis has returned an error. */
const RETRY_INTERVAL = 1000;

/** Clients in one report; others are in the next one. */
const MAX_CLIENTS = 500;

/** Clients with calls to report; more than one pod's limiter counts separately. */
const MAX_WAITING = 20_000;

/**
 * Shares a client's rate among all pods.
 *
 * The limiter decides locally and at once. Admitted calls are reported in the background, and the
 * reply, with the client's calls to all pods, empties the local bucket. A client that calls several
 * pods at the same moment gets more than its burst, by the calls of one report interval, and less
 * afterwards.
 *
 * Without Redis, each pod grants a client the full rate.
 *
 * @returns a function that stops it
 */
export function shareRateLimit(limiter: RateLimiter, redis: Redis): () => void {
  const taken = new Map<string, number>();
  let timer: NodeJS.Timeout | undefined;
  let isReporting = false;
  /** Time of the first failed report since the last success. */
  let failedSince: number | undefined;

  /** Resolves with the milliseconds until the next report. */
  async function report(): Promise<number> {
    const { interval, capacity } = limiter;
    const now = SYSTEM_TIME.now();
    // Without the calls that the bucket has regained since the failure.
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
    // There is always room for clients that the limiter counts separately.
    if (before === undefined && taken.size >= MAX_WAITING) return;
    taken.set(client, (before ?? 0) + count);
  }

  function reportSoon(): void {
    if (isReporting || taken.size === 0 || !redis.available) return;
    isReporting = true;
    // One report for all calls of one turn.
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
    // Without Redis, calls are never reported later.
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

/** Of limited length, and without the client's name. */
function digest(client: string): string {
  return createHash("sha256").update(client).digest("base64url").slice(0, 22);
}
