import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { redisIsInstalled, startRedis, type RedisServer } from "../test/redis/server.ts";
import type { Order, Told } from "./cluster/messages.ts";
import { median, type Measurement } from "./measurement.ts";

const PODS = 10;
const CALLERS = 1000;
const PROBES = 3;
/** Episodes in which the dependency stays down; in one more it is well again. */
const BAD_EPISODES = 4;
const ROUNDS = 30;
const REST_SECONDS = 10;

/** What pods decide together, as processes of their own with a Redis of the benchmark's own. */
export async function cluster(quick: boolean): Promise<Measurement[]> {
  if (!redisIsInstalled) {
    process.stderr.write(
      "breakers that share Redis: skipped, needs redis-server on the PATH (apt-get install redis-server)\n",
    );
    return [];
  }
  const redis = await startRedis();
  const dependency = await Dependency.start();
  const pods = await Promise.all(Array.from({ length: PODS }, () => Pod.start(redis, dependency)));
  try {
    // As long as a Redis that has just been started waits for pods to report.
    await sleep(4000);
    return [
      ...(await propagation(pods, quick ? 5 : ROUNDS)),
      ...(await atRest(pods, redis)),
      ...(await probes(pods, dependency)),
    ];
  } finally {
    for (const pod of pods) pod.stop();
    dependency.close();
    await redis.close();
  }
}

/** From the vote that makes the quorum to each pod that has no calls of its own. */
async function propagation(pods: readonly Pod[], rounds: number): Promise<Measurement[]> {
  const [first, second, ...blind] = pods;
  if (first === undefined || second === undefined) throw new Error("no pods");
  const times: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    first.order({ type: "fail" });
    await first.is("open");
    await sleep(50);
    second.order({ type: "fail" });
    await Promise.all(pods.map((pod) => pod.is("open")));
    times.push(...blind.map(({ since }) => since - second.since));
    second.order({ type: "reset" });
    await Promise.all(pods.map((pod) => pod.is("closed")));
  }
  times.sort((one, other) => one - other);
  const p99 = times[Math.ceil(0.99 * times.length) - 1] ?? NaN;
  return [
    { what: "from the deciding vote to each pod, p50", value: median(times), unit: "ms", runs: times.length },
    { what: "from the deciding vote to each pod, p99", value: p99, unit: "ms", bar: 50, runs: 1 },
  ];
}

/** All that Redis does while breakers are closed and calls succeed, also inside of scripts. */
async function atRest(pods: readonly Pod[], redis: RedisServer): Promise<Measurement[]> {
  const calls = setInterval(() => {
    for (const pod of pods) pod.order({ type: "succeed" });
  }, 200);
  await sleep(1500);
  const before = await commands(redis);
  await sleep(REST_SECONDS * 1000);
  const after = await commands(redis);
  clearInterval(calls);
  const each = (count: number) => count / REST_SECONDS / PODS;
  return [
    {
      what: "commands in Redis for each pod at rest",
      value: each(after.all - before.all),
      unit: "/s",
      bar: 10,
      runs: 1,
    },
    { what: "  of these, sent by the pod", value: each(after.sent - before.sent), unit: "/s", runs: 1 },
  ];
}

async function commands(redis: RedisServer): Promise<{ all: number; sent: number }> {
  const stats = String(await redis.admin("INFO", "commandstats"));
  const counts = [...stats.matchAll(/cmdstat_(\S+):calls=(\d+)/g)].map(([, name, calls]) => ({
    name,
    calls: Number(calls),
  }));
  const sum = (of: readonly { calls: number }[]) => of.reduce((total, { calls }) => total + calls, 0);
  return {
    all: sum(counts.filter(({ name }) => name !== "info")),
    sent: sum(counts.filter(({ name }) => name === "evalsha" || name === "ping" || name === "xrevrange")),
  };
}

/** How many calls reach a dependency in each episode, down or not. */
async function probes(pods: readonly Pod[], dependency: Dependency): Promise<Measurement[]> {
  dependency.isDown = true;
  for (const pod of pods) pod.order({ type: "fail" });
  await Promise.all(pods.map((pod) => pod.is("open")));
  for (const pod of pods) pod.order({ type: "call", callers: CALLERS });
  while (dependency.calls.size < BAD_EPISODES) await sleep(10);
  await sleep(1000);
  dependency.isDown = false;
  await Promise.all(pods.map((pod) => pod.is("closed")));
  const counts = [...dependency.calls.values()];
  const what = `probes for ${PODS} × ${CALLERS} callers`;
  return [
    {
      what: `${what}, most in an episode`,
      value: Math.max(...counts),
      unit: "calls",
      bar: PROBES,
      runs: 1,
    },
    {
      what: `${what}, fewest`,
      value: Math.min(...counts),
      unit: "calls",
      bar: PROBES,
      allowed: "least",
      runs: 1,
    },
  ];
}

/** Counts the calls that reach it, by the epoch under which they are made; answers after half a second. */
class Dependency {
  readonly calls = new Map<string, number>();
  isDown = false;
  readonly url: string;
  readonly #server: Server;

  static async start(): Promise<Dependency> {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    return new Dependency(server);
  }

  constructor(server: Server) {
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("the dependency has no port");
    this.url = `http://127.0.0.1:${address.port}/`;
    this.#server = server;
    server.on("request", ({ url = "" }, response) => {
      this.calls.set(url, (this.calls.get(url) ?? 0) + 1);
      setTimeout(() => response.writeHead(this.isDown ? 503 : 200).end(), 500);
    });
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

/** A process with a breaker, and the state that it was last in. */
class Pod {
  state = "closed";
  /** When it came into its state, milliseconds. */
  since = 0;
  readonly #child: ChildProcess;
  #changed: () => void = () => undefined;

  static async start({ url }: RedisServer, dependency: Dependency): Promise<Pod> {
    const child = fork(join(import.meta.dirname, "cluster/pod.ts"), [url, dependency.url, String(PROBES)]);
    const pod = new Pod(child);
    await once(child, "message");
    return pod;
  }

  constructor(child: ChildProcess) {
    this.#child = child;
    child.on("message", (told: Told) => {
      if (told.type !== "state") return;
      this.state = told.state;
      this.since = told.at;
      this.#changed();
    });
  }

  order(order: Order): void {
    this.#child.send(order);
  }

  async is(state: string): Promise<void> {
    while (this.state !== state) await new Promise<void>((resolve) => (this.#changed = resolve));
  }

  stop(): void {
    this.#child.kill();
  }
}
