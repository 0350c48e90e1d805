import { PLAIN_CALL } from "../resilience/call.ts";
import { within } from "../resilience/deadline.ts";
import { SYSTEM_TIME } from "../resilience/time.ts";

/** A value to load in advance: its source and argument. */
export interface WarmUpEntry {
  readonly source: string;
  readonly argument: string;
}

/** Time limit for all entries in milliseconds, because readiness waits for them. */
const TIMEOUT = 10_000;

/** Fills caches before a pod is ready, one entry after the other. */
export class WarmUp {
  readonly #sources = new Map<string, (argument: string) => Promise<unknown>>();

  add(source: string, load: (argument: string) => Promise<unknown>): void {
    this.#sources.set(source, load);
  }

  /**
   * Resolves when all are loaded or the time is over; never rejects.
   *
   * @param failed - called for each entry that could not be loaded
   */
  async run(
    entries: readonly WarmUpEntry[],
    failed: (entry: WarmUpEntry, error: unknown) => void,
    timeout = TIMEOUT,
  ): Promise<void> {
    const end = SYSTEM_TIME.now() + timeout;
    for (const entry of entries) {
      const load = () => this.#sources.get(entry.source)?.(entry.argument) ?? Promise.resolve();
      const left = Math.max(0, end - SYSTEM_TIME.now());
      await within(load, PLAIN_CALL, left, SYSTEM_TIME).catch((error: unknown) => {
        failed(entry, error);
      });
    }
  }
}
