import { setImmediate as nextTurn } from "node:timers/promises";
import { asError, type Call } from "../resilience/call.ts";

/**
 * Works on items with limited concurrency; results have the order of the items. Other calls get
 * their turn between two items.
 *
 * @throws the call's reason as soon as it is cancelled, and errors of the work
 */
export async function inParallel<Item, Result>(
  items: readonly Item[],
  concurrency: number,
  work: (item: Item, index: number) => Promise<Result>,
  call: Call,
): Promise<Result[]> {
  const results: Result[] = [];
  const waiting = items.entries();
  const worker = async (): Promise<void> => {
    for (const [index, item] of waiting) {
      await nextTurn();
      if (call.cancelled) throw asError(call.reason);
      results[index] = await work(item, index);
    }
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, items.length) }, worker));
  return results;
}
