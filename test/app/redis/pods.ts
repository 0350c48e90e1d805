import type { Breaker, BreakerOptions } from "../../../app/src/resilience/breaker.ts";
import { BreakerRegistry } from "../../../app/src/resilience/breaker-registry.ts";
import type { Permit } from "../../../app/src/resilience/permit.ts";
import { SharedBreakers } from "../../../app/src/redis/breakers.ts";
import { RedisConnection } from "../../../app/src/redis/connection.ts";

/** One pod's breaker, sharing its state through a connection of its own. */
export interface Pod {
  readonly breakers: BreakerRegistry;
  readonly breaker: Breaker;
  readonly shared: SharedBreakers;
  readonly redis: RedisConnection;
  close(): Promise<void>;
}

export interface PodOptions extends Partial<BreakerOptions> {
  readonly url: string;
  /** @default blue */
  readonly group?: string;
  readonly interval?: number;
  readonly cluster?: boolean;
  readonly redisTimeout?: number;
}

export const INTERVAL = 50;

let pods = 0;
const running = new Set<Pod>();

export function startPod({
  url,
  group = "blue",
  interval = INTERVAL,
  cluster = false,
  redisTimeout = 500,
  ...options
}: PodOptions): Pod {
  pods += 1;
  const redis = new RedisConnection({ url, cluster, prefix: "mcp", timeout: redisTimeout });
  const breakers = new BreakerRegistry();
  const shared = new SharedBreakers({ redis, group, breakers, interval, pod: `pod-${process.pid}-${pods}` });
  const breaker = breakers.create({ name: "api", failureThreshold: 3, recoveryTimeout: 300, timeout: 200, ...options });
  const pod: Pod = {
    breakers,
    breaker,
    shared,
    redis,
    async close() {
      running.delete(pod);
      await shared.close();
      await redis.close();
    },
  };
  running.add(pod);
  return pod;
}

export async function closePods(): Promise<void> {
  await Promise.all([...running].map((pod) => pod.close()));
}

/** Resolves once the condition holds; checked again and again, and never for longer than a test may take. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 1));
}

export async function untilShared(...all: readonly Pod[]): Promise<void> {
  await until(() => all.every(({ shared }) => shared.isShared));
}

/** Resolves once Redis has heard of every pod, and for so long that it decides. */
export async function startPods(count: number, options: PodOptions): Promise<[Pod, Pod, Pod, ...Pod[]]> {
  const more = Array.from({ length: count - 3 }, () => startPod(options));
  const all = [startPod(options), startPod(options), startPod(options), ...more] as const;
  await untilShared(...all);
  await intervals(4);
  return [...all];
}

/** Three pods that hold their breakers open: two have failed, the third has had no calls. */
export async function openPods(options: PodOptions): Promise<[Pod, Pod, Pod]> {
  const [one, other, blind] = await startPods(3, options);
  fail(one);
  fail(other);
  await areHeldOpen([one, other, blind]);
  return [one, other, blind];
}

/** Resolves once a pod whose breaker is held open may probe. */
export async function isLent({ breaker }: Pod): Promise<void> {
  breaker.tryAcquire();
  await until(() => breaker.state === "half-open");
}

/** So many reports of each pod that has the usual interval. */
export function intervals(count: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 1.1 * count * INTERVAL));
}

export function admitted(answer: ReturnType<Breaker["tryAcquire"]>): Permit {
  if (!answer.admitted) throw new Error(`rejected: ${answer.reason}, retry after ${answer.retryAfterMs} ms`);
  return answer;
}

export function fail({ breaker }: Pod, times = 3): void {
  for (let time = 0; time < times; time += 1) admitted(breaker.tryAcquire()).fail();
}

export function succeed({ breaker }: Pod): void {
  admitted(breaker.tryAcquire()).succeed();
}

/** What the breakers guard: counts the calls that reach it. */
export class Dependency {
  isDown: boolean;
  calls = 0;
  mostAtOnce = 0;
  readonly #answersAfter: number;
  #atOnce = 0;

  constructor({ answersAfter, isDown = false }: { readonly answersAfter: number; readonly isDown?: boolean }) {
    this.#answersAfter = answersAfter;
    this.isDown = isDown;
  }

  readonly ask = async (): Promise<void> => {
    this.calls += 1;
    this.#atOnce += 1;
    this.mostAtOnce = Math.max(this.mostAtOnce, this.#atOnce);
    await new Promise((resolve) => setTimeout(resolve, this.#answersAfter));
    this.#atOnce -= 1;
    if (this.isDown) throw new Error("down");
  };

  /** All callers of all pods call every few milliseconds, until the condition holds. */
  async hammer(
    pods: readonly Pod[],
    { callers, until: isOver }: { readonly callers: number; readonly until: () => boolean },
  ): Promise<void> {
    while (!isOver()) {
      for (const { breaker } of pods)
        for (let caller = 0; caller < callers && !isOver(); caller += 1)
          void breaker.execute(this.ask).catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
}

export const states = (pods: readonly Pod[]) => pods.map(({ breaker }) => breaker.state);

export const areHeldOpen = (pods: readonly Pod[]) => until(() => pods.every(({ shared }) => shared.holdsOpen("api")));

export const areClosed = (pods: readonly Pod[]) => until(() => pods.every(({ breaker }) => breaker.state === "closed"));
