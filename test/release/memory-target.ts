import { z } from "zod";
import { environment, type Environment } from "../../environments/environment.ts";
import { COLORS, type Color } from "../../release/color.ts";
import type { ReleaseRecord } from "../../release/record.ts";
import {
  TrafficMoved,
  type Endpoint,
  type Lease,
  type PodHealth,
  type Snapshot,
  type Target,
} from "../../release/target.ts";

interface MemoryColor {
  image?: string;
  pinned?: number;
  ready: number;
  rollingOut?: boolean;
}

export class Killed extends Error {
  override readonly name = "Killed";
}

/**
 * A target in memory, with pods that are ready at once, which keeps the promises of the interface and counts the calls.
 *
 * Whoever calls it can be killed before any call, which is also after the one before; to the target it makes no difference. Until
 * `revive` every further call of the dead process fails.
 */
export class MemoryTarget implements Target {
  live: Color = "blue";
  release: ReleaseRecord | undefined;
  readonly colors: Record<Color, MemoryColor> = { blue: { image: "old", ready: 2 }, green: { ready: 0 } };
  /** Every change of the traffic, and what no release may do. */
  readonly moves: Color[] = [];
  readonly harms: string[] = [];
  calls = 0;
  /** Runs before each call and may throw: what happens to the network, and what others do meanwhile. */
  before: (call: string) => void = () => undefined;
  #killBefore = Infinity;
  #dead = false;

  killBefore(call: number): void {
    this.#killBefore = call;
  }

  get killed(): boolean {
    return this.#dead;
  }

  revive(killBefore = Infinity): void {
    this.calls = 0;
    this.#dead = false;
    this.#killBefore = killBefore;
  }

  async look(): Promise<Snapshot> {
    this.#called("look");
    const color = ({ image, pinned, ready, rollingOut }: MemoryColor) => ({
      image,
      pinned,
      desired: ready,
      settings: {},
      rollingOut,
      pods: Array.from({ length: ready }, (_, pod) => ({
        name: `pod-${pod}`,
        ready: true,
        restarts: 0,
        image: image ?? "",
      })),
    });
    const { live, release, colors } = this;
    return await Promise.resolve({
      live,
      release,
      wanted: {},
      colors: { blue: color(colors.blue), green: color(colors.green) },
    });
  }

  async stage(color: Color, image: string): Promise<void> {
    this.#called("stage");
    if (color === this.live) throw new TrafficMoved(color === "blue" ? "green" : "blue", color);
    this.colors[color].image = image;
    this.#scale(color);
    await Promise.resolve();
  }

  async pin(color: Color, pods: number | undefined): Promise<void> {
    this.#called("pin");
    this.colors[color].pinned = pods;
    this.#scale(color);
    await Promise.resolve();
  }

  async moveTraffic(from: Color, to: Color): Promise<void> {
    this.#called("moveTraffic");
    if (this.live !== from) throw new TrafficMoved(from, this.live);
    if (this.colors[to].ready === 0) this.harms.push(`${to} got the traffic and has no ready pod`);
    this.live = to;
    this.moves.push(to);
    await Promise.resolve();
  }

  async record(release: ReleaseRecord): Promise<void> {
    this.#called("record");
    this.release = release;
    const pinned = COLORS.some((color) => this.colors[color].pinned !== undefined);
    if (release.phase === "ended" && pinned) this.harms.push("ended with a pin");
    await Promise.resolve();
  }

  async health(): Promise<readonly PodHealth[]> {
    this.#called("health");
    return await Promise.resolve([]);
  }

  async metrics(): Promise<ReadonlyMap<string, string>> {
    this.#called("metrics");
    return await Promise.resolve(new Map());
  }

  lease(): Promise<Lease> {
    return Promise.reject(new Error("the commands get their lease from outside"));
  }

  endpoint(): Promise<Endpoint> {
    return Promise.reject(new Error("nothing listens in memory"));
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  /** One pod of its own, and two when that is what it is pinned at. */
  #scale(color: Color): void {
    const state = this.colors[color];
    state.ready = state.image === undefined ? 0 : Math.max(1, state.pinned ?? 0);
  }

  #called(call: string): void {
    if (this.#dead || this.calls >= this.#killBefore) {
      this.#dead = true;
      throw new Killed(`killed before ${call}`);
    }
    this.calls += 1;
    this.before(call);
  }
}

/** Times in milliseconds, so that whole releases can be run by the thousand. */
export function quickEnvironment(bake: Partial<Environment["release"]["bake"]> = {}): Environment {
  return environment({
    name: "memory",
    namespace: "memory",
    app: { image: "old", imagePolicy: "any", settings: { AUTH_MODE: "off" } },
    scaling: { minReplicas: 1, maxReplicas: 2, requestsPerPod: 50, latencyObjectiveMs: 250 },
    release: {
      target: "local",
      stageTimeoutSeconds: 0.05,
      smoke: { tool: "echo", expect: z.unknown() },
      metrics: { calls: 1, concurrency: 1, minCalls: 1, maxErrorRatio: 0, maxP95Ms: 100 },
      bake: {
        durationSeconds: 0.002,
        intervalSeconds: 0.001,
        minCalls: 1,
        maxErrorRatio: 0,
        maxP95Ms: 100,
        holdTimeoutSeconds: 1,
        ...bake,
      },
    },
  });
}
