import { Emitter } from "../../../app/src/resilience/emitter.ts";
import { BreakerRegistry } from "../../../app/src/resilience/breaker-registry.ts";
import type { Breaker } from "../../../app/src/resilience/breaker.ts";
import type { Permit } from "../../../app/src/resilience/permit.ts";
import { SharedBreakers } from "../../../app/src/redis/breakers.ts";
import { RedisUnavailable, type Redis, type RedisEvent } from "../../../app/src/redis/redis.ts";
import { script, type Script } from "../../../app/src/redis/script.ts";
import { fakeTime, type FakeClock } from "../resilience/fake-clock.ts";

export const INTERVAL = 100;
export const PATIENCE = 400;

/** `limit` and `threshold` of probes, how long the breakers stay open, and which pod is poisoned, if any is. */
export interface SimulationOptions {
  readonly pods: number;
  readonly limit: number;
  readonly threshold: number;
  readonly recovery: number;
  readonly poisoned: number;
}

const CLOCK = "mcp:{breakers:blue}:clock";
const CHANNEL = "mcp:breakers:blue";

/** How a pod reaches Redis: as it should, not at all, or so that what it says is heard and the answer is lost. */
export type Link = "up" | "down" | "deaf";

/**
 * Redis as one pod sees it: the real one, on a clock that the test moves, with messages that the test delivers.
 *
 * The scripts are the real ones but for two commands: they read the clock from a key, and what they publish goes to a list.
 */
class SimulatedRedis implements Redis {
  readonly prefix = "mcp";
  readonly events = new Emitter<RedisEvent>();
  link: Link = "up";
  hear: (message: string) => void = () => undefined;
  readonly #real: Redis;
  readonly #under: Set<Promise<unknown>>;

  constructor(real: Redis, under: Set<Promise<unknown>>) {
    this.#real = real;
    this.#under = under;
  }

  get available(): boolean {
    return this.link !== "down";
  }

  command(): Promise<unknown> {
    return Promise.reject(new RedisUnavailable("no commands here"));
  }

  async run({ lua }: Script, keys: readonly string[], args: readonly (string | number | Buffer)[]): Promise<unknown> {
    if (this.link === "down") throw new RedisUnavailable("down");
    const running = this.#real.run(simulated(lua), keys, args);
    this.#under.add(running);
    try {
      const reply = await running;
      if (this.link === "deaf") throw new RedisUnavailable("no answer");
      return reply;
    } finally {
      this.#under.delete(running);
    }
  }

  subscribe(_channel: string, listener: (message: string) => void): () => void {
    this.hear = listener;
    return () => undefined;
  }

  publish(): Promise<unknown> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

const scripts = new Map<string, Script>();

function simulated(lua: string): Script {
  const known = scripts.get(lua);
  if (known !== undefined) return known;
  const changed = script(
    lua.replaceAll('redis.call("TIME")', `redis.call("LRANGE", "${CLOCK}", 0, 1)`).replaceAll('"PUBLISH"', '"RPUSH"'),
  );
  scripts.set(lua, changed);
  return changed;
}

interface Probe {
  readonly permit: Permit;
  readonly startedAt: number;
}

export class SimulatedPod {
  readonly name: string;
  readonly breaker: Breaker;
  readonly shared: SharedBreakers;
  readonly redis: SimulatedRedis;
  readonly clock: FakeClock;
  /** Whether all of its calls fail, whatever the dependency does. */
  readonly isPoisoned: boolean;
  readonly permits: Permit[] = [];
  /** Leased ones that are under way. */
  probes: Probe[] = [];
  readonly mailbox: string[] = [];

  constructor(index: number, redis: SimulatedRedis, { limit, threshold, recovery, poisoned }: SimulationOptions) {
    const { clock, time } = fakeTime();
    this.name = `pod-${index}`;
    this.clock = clock;
    this.redis = redis;
    this.isPoisoned = index === poisoned;
    const breakers = new BreakerRegistry();
    this.shared = new SharedBreakers({ redis, group: "blue", breakers, interval: INTERVAL, pod: this.name, time });
    this.breaker = breakers.create({
      name: "api",
      failureThreshold: 2,
      recoveryTimeout: recovery,
      timeout: PATIENCE,
      halfOpenLimit: limit,
      successThreshold: threshold,
      time,
    });
  }

  get isHeld(): boolean {
    return this.shared.isShared && this.shared.holdsOpen("api") && this.breaker.state !== "closed";
  }
}

/** Some pods, a Redis, and a dependency, in a time of their own. */
export class Simulation {
  readonly pods: readonly SimulatedPod[];
  isWell = true;
  #now = 1_700_000_000_000;
  /** Milliseconds that the clock of Redis is behind. */
  #setBack = 0;
  readonly #real: Redis;
  readonly #under = new Set<Promise<unknown>>();

  private constructor(real: Redis, options: SimulationOptions) {
    this.#real = real;
    this.pods = Array.from(
      { length: options.pods },
      (_, index) => new SimulatedPod(index, new SimulatedRedis(real, this.#under), options),
    );
  }

  static async start(real: Redis, options: SimulationOptions): Promise<Simulation> {
    await real.command(["FLUSHALL"]);
    const simulation = new Simulation(real, options);
    await simulation.pass(0);
    return simulation;
  }

  get now(): number {
    return this.#now;
  }

  /** Lets time pass for all, a tick at a time, with all that falls due and is answered on the way. */
  async pass(milliseconds: number): Promise<void> {
    const end = this.#now + milliseconds;
    do {
      const step = Math.min(20, end - this.#now);
      this.#now += step;
      await this.#setClock();
      for (const { clock } of this.pods) clock.advance(step);
      await this.settle();
    } while (this.#now < end);
  }

  /** Until nothing is under way any more; what was published is in the mailboxes. */
  async settle(): Promise<void> {
    for (let quiet = 0; quiet < 3; quiet += 1) {
      await new Promise((resolve) => setImmediate(resolve));
      if (this.#under.size === 0) continue;
      quiet = -1;
      await Promise.allSettled(this.#under);
    }
    const published = await this.#real.command(["LRANGE", CHANNEL, "0", "-1"]);
    if (!Array.isArray(published) || published.length === 0) return;
    await this.#real.command(["DEL", CHANNEL]);
    for (const { mailbox } of this.pods) mailbox.push(...published.map(String));
  }

  async flush(): Promise<void> {
    await this.#real.command(["FLUSHALL"]);
    await this.#setClock();
  }

  async setRedisBack(milliseconds: number): Promise<void> {
    this.#setBack += milliseconds;
    await this.#setClock();
  }

  call(pod: SimulatedPod): void {
    const isHeld = pod.isHeld;
    const answer = pod.breaker.tryAcquire();
    if (!answer.admitted) return;
    if (isHeld) pod.probes.push({ permit: answer, startedAt: this.#now });
    pod.permits.push(answer);
  }

  end(pod: SimulatedPod, which: number, isCancelled: boolean): void {
    const [permit] = pod.permits.splice(which % Math.max(1, pod.permits.length), 1);
    if (permit === undefined) return;
    pod.probes = pod.probes.filter((probe) => probe.permit !== permit);
    if (isCancelled) permit.cancel();
    else if (this.isWell && !pod.isPoisoned) permit.succeed();
    else permit.fail();
  }

  /** The first one that is under way. */
  endProbe(): void {
    const pod = this.pods.find(({ probes }) => probes.length > 0);
    const [probe] = pod?.probes ?? [];
    if (pod !== undefined && probe !== undefined) this.end(pod, pod.permits.indexOf(probe.permit), false);
  }

  setLink(pod: SimulatedPod, link: Link): void {
    const before = pod.redis.available;
    pod.redis.link = link;
    if (before === pod.redis.available) return;
    pod.redis.events.emit(pod.redis.available ? { type: "up" } : { type: "down", reason: "cut off" });
  }

  /** Leased probes that are under way, of whatever episode; those that take longer than a call may are as good as dead. */
  get probes(): number {
    return this.pods.flatMap(({ probes }) => probes).filter(({ startedAt }) => this.#now - startedAt <= PATIENCE)
      .length;
  }

  async close(): Promise<void> {
    for (const pod of this.pods) this.setLink(pod, "down");
    await Promise.all(this.pods.map(({ shared }) => shared.close()));
  }

  async #setClock(): Promise<void> {
    const now = this.#now - this.#setBack;
    const seconds = Math.floor(now / 1000);
    await this.#real.command(["DEL", CLOCK]);
    await this.#real.command(["RPUSH", CLOCK, String(seconds), String((now - seconds * 1000) * 1000)]);
  }
}
