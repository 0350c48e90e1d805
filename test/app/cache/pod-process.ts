import { startPod, type PodOptions } from "./pods.ts";

/** What the parent asks of a pod in a process of its own. */
export interface Order {
  readonly fetch: string;
  readonly times: number;
  readonly origin: string;
}

/** How each call of a `fetch` was answered, and how many there were of each. */
export type Report = Readonly<Record<string, number>>;

// A process of its own, with Redis, that does as it is told until it is disconnected:
//
//     fork("pod-process.ts", [JSON.stringify(options)])
const pod = await startPod(JSON.parse(process.argv[2] ?? "{}") as PodOptions);

async function load(origin: string, signal: AbortSignal): Promise<{ name: string }> {
  return { name: await (await fetch(origin, { signal })).text() };
}

process.on("message", (order: Order) => {
  const { fetch: key, times, origin } = order;
  const calls = Array.from({ length: times }, () => pod.cache.fetch(key, ({ signal }) => load(origin, signal)));
  void Promise.allSettled(calls).then((results) => {
    const report: Record<string, number> = {};
    for (const result of results) {
      const what =
        result.status === "fulfilled" ? `${result.value.value.name} ${result.value.source}` : String(result.reason);
      report[what] = (report[what] ?? 0) + 1;
    }
    process.send?.(report);
  });
});
process.once("disconnect", () => process.exit());
process.send?.("ready");
