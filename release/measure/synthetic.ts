import { withClient, type Era } from "./client.ts";
import type { Reach } from "./reach.ts";
import { smokeCall, type Smoke } from "./smoke-call.ts";

export interface Load {
  /** Calls in all, at most. */
  readonly calls: number;
  /** Client sessions that call at the same time, the eras in turn. Each has its share of the calls. */
  readonly concurrency: number;
  /** At least one. */
  readonly eras: readonly Era[];
  /**
   * Called after each call. No answer, or a wrong one, took infinitely long. Returning true ends the load.
   *
   * @param isWarm false for the first calls of a session: a pod that has just started answers them more slowly
   */
  readonly onCall: (ms: number, isWarm: boolean) => boolean;
}

/** Calls of a session that do not tell how fast the pods are. */
const WARM_UP = 5;

/**
 * Calls a tool through real client sessions and measures each call where a client would.
 *
 * An answer that is not what the environment expects is no better than none. A session that cannot be opened loses its
 * whole share of the calls, as its user would. There are at least as many sessions as pods, so that every pod is called.
 */
export async function syntheticLoad(reach: Reach, smoke: Smoke, load: Load, signal: AbortSignal): Promise<void> {
  const sessions = Math.max(load.concurrency, reach.endpoint.pods);
  let over = false;

  async function session(era: Era): Promise<void> {
    const share = Math.ceil(load.calls / sessions);
    let left = share;
    const count = (ms: number) => {
      left -= 1;
      over ||= load.onCall(ms, share - left > WARM_UP);
    };
    try {
      await withClient(reach.endpoint, era, signal, async (client) => {
        while (left > 0 && !over) {
          signal.throwIfAborted();
          const start = performance.now();
          const answer = await smokeCall(client, smoke, signal).catch(() => undefined);
          signal.throwIfAborted();
          count(answer && answer.wrong === undefined ? performance.now() - start : Infinity);
        }
      });
    } catch {
      while (left > 0 && !over && !signal.aborted) count(Infinity);
    }
  }

  await Promise.all(
    Array.from({ length: sessions }, (_, index) => session(load.eras[index % load.eras.length] ?? "legacy")),
  );
  signal.throwIfAborted();
}
