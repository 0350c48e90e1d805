import { setImmediate as nextTurn } from "node:timers/promises";
import { asError, type Call } from "../resilience/call.ts";

/**
 * Works on items, so many at a time, and brings the results in the order of the items. Between two items others get their turn, so that
 * a long list holds up nobody.
 *
 * @throws the call's reason as soon as it is cancelled, with no more items taken up; and what the work throws
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
