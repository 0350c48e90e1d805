import { createHash } from "node:crypto";
import type { RateLimiter } from "../resilience/rate-limiter.ts";
import type { Redis } from "./redis.ts";
import { takeTokens } from "./scripts/take-tokens.ts";

/** Milliseconds between two reports under load; the first call after a pause is reported at once. */
const REPORT_INTERVAL = 20;

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

  async function report(): Promise<void> {
    const batch = [...taken].slice(0, MAX_CLIENTS);
    for (const [client] of batch) taken.delete(client);
    const keys = batch.map(([client]) => `${redis.prefix}:{rate:${limiter.name}}:${digest(client)}`);
    const { interval, capacity } = limiter;
    try {
      const left = await redis.run(takeTokens, keys, [interval, capacity, ...batch.map(([, count]) => count)]);
      if (!Array.isArray(left)) return;
      for (const [index, [client]] of batch.entries()) limiter.drain(client, Number(left[index]));
    } catch {
      // Said again as soon as Redis answers.
      for (const [client, count] of batch) note(client, count);
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
      void report().finally(() => {
        timer = setTimeout(() => {
          isReporting = false;
          reportSoon();
        }, REPORT_INTERVAL).unref();
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
