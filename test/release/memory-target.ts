import { z } from "zod";
import { environment, type Environment } from "../../environment/environment.ts";
import { COLORS, other, type Color } from "../../environment/color.ts";
import { Displaced, TrafficMoved } from "../../release/errors.ts";
import type { CallHistogram } from "../../release/measure/histogram.ts";
import type { Capacity, ColorState, Problem } from "../../release/ports/capacity.ts";
import type { Fence } from "../../release/ports/fence.ts";
import type { Measurements } from "../../release/ports/measurements.ts";
import type { MigrationResult } from "../../release/ports/migrations.ts";
import type { Endpoint, FromPods, PodHealth, PodVersion, Probe } from "../../release/ports/probe.ts";
import type { Authority, Records } from "../../release/ports/records.ts";
import type { Staging } from "../../release/ports/staging.ts";
import type { Target } from "../../release/ports/target.ts";
import type { Traffic } from "../../release/ports/traffic.ts";
import type { ReleaseRecord } from "../../release/record.ts";
import { MemoryMigrations } from "./memory-migrations.ts";

interface MemoryColor {
  image?: string;
  mark?: string;
  heldAt?: number;
  ready: number;
  rollingOut?: boolean;
  problems?: readonly Problem[];
}

export class Killed extends Error {
  override readonly name = "Killed";
}

/**
 * A target in memory, which keeps the promises of every port. Its pods are ready at once.
 *
 * Its caller can be killed before any call. To the target that makes no difference. Until `revive` every further call of
 * the dead process fails. Calls are counted by these names: `look` (an observation), `stage`, `hold`, `move`, `write`,
 * `health`, `calls`. Readings of one color are not counted; `before` gets them as `color blue`.
 */
export class MemoryTarget implements Target {
  readonly description = ["memory"];
  live: Color = "blue";
  release: ReleaseRecord | undefined;
  ended: ReleaseRecord[] = [];
  readonly colors: Record<Color, MemoryColor> = { blue: { image: "old", ready: 2 }, green: { ready: 0 } };
  /** Every move of the traffic, and whatever no release may do. */
  readonly moves: Color[] = [];
  readonly harms: string[] = [];
  count = 0;
  /** Runs before each call and may throw: network faults, and what others do at that moment. */
  before: (call: string) => void = () => undefined;
  #killBefore = Infinity;
  #dead = false;
  #epoch = 0;
  #lost = new AbortController();

  killBefore(call: number): void {
    this.#killBefore = call;
  }

  get killed(): boolean {
    return this.#dead;
  }

  revive(killBefore = Infinity): void {
    this.count = 0;
    this.#dead = false;
    this.#killBefore = killBefore;
  }

  /** Another command takes the lease over. */
  displace(): void {
    this.#epoch += 1;
    this.#lost.abort(new Displaced("another command has taken over this release's lease"));
    this.#lost = new AbortController();
  }

  readonly traffic: Traffic = {
    live: async () => {
      this.#called("look");
      return await Promise.resolve(this.live);
    },
    move: async (from, to, fence) => {
      this.#called("move");
      this.#test(fence);
      if (this.live !== from) throw new TrafficMoved(from, this.live);
      if (this.colors[to].ready === 0) this.harms.push(`${to} got the traffic and has no ready pod`);
      this.live = to;
      this.moves.push(to);
      await Promise.resolve();
    },
  };

  readonly capacity: Capacity = {
    checkEveryMs: 5,
    color: async (color) => {
      this.before(`color ${color}`);
      return await Promise.resolve(this.#state(color));
    },
    hold: async (color, pods, fence) => {
      this.#called("hold");
      this.#test(fence);
      this.colors[color].heldAt = pods;
      this.#scale(color);
      await Promise.resolve();
    },
  };

  readonly staging: Staging = {
    stage: async ({ color, image, mark }, fence) => {
      this.#called("stage");
      this.#test(fence);
      if (color === this.live) throw new TrafficMoved(other(color), color);
      if (this.colors[color].mark === mark) return;
      Object.assign(this.colors[color], { image, mark });
      this.#scale(color);
      await Promise.resolve();
    },
    pending: () => Promise.resolve([]),
  };

  readonly records: Records = {
    read: async () => await Promise.resolve(this.release),
    history: async () => await Promise.resolve(this.ended),
    holder: () => Promise.resolve(undefined),
    acquire: async () => await Promise.resolve(this.authority()),
  };

  readonly probe: { -readonly [Key in keyof Probe]: Probe[Key] } = {
    endpoint: async () => await this.endpoint(),
    health: async () => {
      this.#called("health");
      return await this.health();
    },
    versions: async () => {
      this.#called("health");
      return await this.versions();
    },
  };

  /** None, unless the environment of a test has one. */
  migrations: MemoryMigrations | undefined;

  /** Gives the environment a migration that ends so. */
  migrate(outcome: MigrationResult = { outcome: "pass", reason: "" }): MemoryMigrations {
    this.migrations = new MemoryMigrations((call, fence) => {
      this.#called(call);
      this.#test(fence);
    }, outcome);
    return this.migrations;
  }

  measurements: Measurements | undefined = {
    calls: async () => {
      this.#called("calls");
      return await this.callsByPod();
    },
  };

  authority(): Authority {
    this.#epoch += 1;
    const fence = { epoch: this.#epoch };
    return {
      fence,
      lost: this.#lost.signal,
      write: async (release) => {
        this.#called("write");
        this.#test(fence);
        this.release = release;
        const held = COLORS.some((color) => this.colors[color].heldAt !== undefined);
        if (release.phase === "ended" && held) this.harms.push("ended with a color held");
        if (release.phase === "ended") this.ended = [release, ...this.ended];
        await Promise.resolve();
      },
      release: () => Promise.resolve(),
    };
  }

  endpoint(): Promise<Endpoint> {
    return Promise.reject(new Error("nothing listens in memory"));
  }

  health(): Promise<FromPods<readonly PodHealth[]>> {
    return Promise.resolve({ pods: [], unread: [] });
  }

  versions(): Promise<FromPods<readonly PodVersion[]>> {
    return Promise.resolve({ pods: [], unread: [] });
  }

  callsByPod(): Promise<FromPods<ReadonlyMap<string, CallHistogram>>> {
    return Promise.resolve({ pods: new Map(), unread: [] });
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #state(color: Color): ColorState {
    const { image, mark, heldAt, ready, rollingOut, problems } = this.colors[color];
    const pods = Array.from({ length: ready }, (_, pod) => ({
      name: `pod-${pod}`,
      ready: true,
      restarts: 0,
      current: true,
    }));
    const minimum = Math.max(1, heldAt ?? 0);
    return {
      image,
      mark,
      heldAt: minimum > 1 ? minimum : undefined,
      minimum,
      desired: ready,
      rollingOut,
      problems,
      pods,
    };
  }

  /** One pod of its own, or as many as the color is held at. */
  #scale(color: Color): void {
    const state = this.colors[color];
    state.ready = state.image === undefined ? 0 : Math.max(1, state.heldAt ?? 0);
  }

  #test({ epoch }: Fence): void {
    if (epoch !== this.#epoch) throw new Displaced("another command has taken over this release's lease");
  }

  #called(call: string): void {
    if (this.#dead || this.count >= this.#killBefore) {
      this.#dead = true;
      throw new Killed(`killed before ${call}`);
    }
    this.count += 1;
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
      metrics: { calls: 1, concurrency: 1, maxErrorRatio: 0.01, maxP95Ms: 100 },
      bake: {
        durationSeconds: 0.002,
        intervalSeconds: 0.001,
        maxErrorRatio: 0.01,
        maxP95Ms: 100,
        holdTimeoutSeconds: 1,
        ...bake,
      },
    },
  });
}
