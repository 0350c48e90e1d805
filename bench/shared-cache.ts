import { killPodProcesses, startOrigin, startPodProcess } from "../test/app/cache/processes.ts";
import { startPod } from "../test/app/cache/pods.ts";
import { redisIsInstalled, startRedis, type RedisServer } from "../test/redis/server.ts";
import { median, type Measurement } from "./measurement.ts";

const PROCESSES = 3;
const CALLERS = 10_000;
const LOOKS = 2000;
const ROUNDS = 5;

/** What the caches of several pods do together, over a Redis of the benchmark's own. */
export async function sharedCache(): Promise<Measurement[]> {
  if (!redisIsInstalled) {
    process.stderr.write(
      "caches that share Redis: skipped, needs redis-server on the PATH (apt-get install redis-server)\n",
    );
    return [];
  }
  const server = await startRedis();
  try {
    return [...(await coldKey(server)), ...(await sharedHit(server))];
  } finally {
    await killPodProcesses();
    await server.close();
  }
}

/** How often 10,000 callers of one cold key, in three processes, ask the origin: the most of several rounds. */
async function coldKey(server: RedisServer): Promise<Measurement[]> {
  const pods = await Promise.all(
    Array.from({ length: PROCESSES }, () => startPodProcess({ url: server.url, timeout: 1000, wait: 1 })),
  );
  const loads: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const origin = await startOrigin();
    setTimeout(() => {
      origin.answer("value");
    }, 200);
    const reports = await Promise.all(
      pods.map((pod) => pod.fetch(`cold ${round}`, Math.ceil(CALLERS / PROCESSES), origin.url)),
    );
    const answered = reports.flatMap((report) => Object.values(report)).reduce((sum, count) => sum + count, 0);
    if (answered < CALLERS) throw new Error(`${CALLERS - answered} of ${CALLERS} calls were not answered`);
    loads.push(origin.asked);
    await origin.close();
  }
  await killPodProcesses();
  const what = "loads for 10,000 callers of a cold key, 3 processes";
  return [{ what, value: Math.max(...loads), unit: "calls", bar: PROCESSES, runs: ROUNDS }];
}

/** What a value costs that another pod has loaded, one call after the other. */
async function sharedHit(server: RedisServer): Promise<Measurement[]> {
  const [one, other] = [await startPod({ url: server.url }), await startPod({ url: server.url })];
  const taken: number[] = [];
  for (let look = 0; look < LOOKS; look += 1) {
    const key = `key ${look}`;
    await one.cache.fetch(key, () => Promise.resolve({ name: key }));
    while (one.tier.counts.stored <= look) await new Promise((resolve) => setImmediate(resolve));
    const start = performance.now();
    const { source } = await other.cache.fetch(key, () => Promise.reject(new Error("it is not shared")));
    taken.push((performance.now() - start) * 1000);
    if (source !== "shared") throw new Error(`'${key}' was found in '${source}'`);
  }
  await Promise.all([one.close(), other.close()]);
  return [{ what: "a hit in Redis, from the next pod", value: median(taken), unit: "µs", runs: LOOKS }];
}
