import { z } from "zod";
import { BREAKER_STATES } from "../resilience/breaker-options.ts";
import { systemHealth, SystemResources } from "./system.ts";

const status = z.enum(["healthy", "degraded", "critical"]);

export type Status = z.output<typeof status>;

const dependencyHealth = z.object({
  status,
  /** Present if a breaker guards it. */
  breaker: z.enum(BREAKER_STATES).optional(),
  /** One sentence for people. */
  detail: z.string().optional(),
});

export type DependencyHealth = Readonly<z.output<typeof dependencyHealth>>;

export const healthReport = z.object({
  status,
  version: z.string(),
  color: z.string(),
  uptimeSeconds: z.number(),
  dependencies: z.record(z.string(), dependencyHealth),
  system: systemHealth,
});

export type HealthReport = Readonly<z.output<typeof healthReport>>;

/** A dependency of the app: a store, Redis, an upstream. */
export interface Dependency {
  /** Unique name in reports. */
  readonly name: string;
  /** The current health, as far as it is known: a report never waits. */
  health(): DependencyHealth;
}

/**
 * Readiness and health of this pod.
 *
 * Readiness says whether this pod can answer; without it, the pod gets no traffic. Health says
 * whether the answers are as good as they could be. A broken dependency appears only in health:
 * removing pods would not repair it, and would remove all of them at once.
 */
export class Health {
  readonly #identity: { readonly version: string; readonly color: string };
  readonly #dependencies = new Map<string, Dependency>();
  readonly #system = new SystemResources();
  readonly #startedAt = performance.now();
  #ready = false;

  constructor(identity: { readonly version: string; readonly color: string }) {
    this.#identity = { version: identity.version, color: identity.color };
  }

  /**
   * Reports on a dependency until the returned function is called.
   *
   * @throws Error when the name is already in use
   */
  add(dependency: Dependency): () => void {
    const { name } = dependency;
    if (this.#dependencies.has(name)) throw new Error(`there is a dependency named '${name}' already`);
    this.#dependencies.set(name, dependency);
    return () => void this.#dependencies.delete(name);
  }

  get ready(): boolean {
    return this.#ready;
  }

  /** Both ports are open. */
  started(): void {
    this.#ready = true;
  }

  draining(): void {
    this.#ready = false;
  }

  get status(): Status {
    return this.report().status;
  }

  report(): HealthReport {
    const dependencies = [...this.#dependencies.values()].map(
      (dependency) => [dependency.name, dependency.health()] as const,
    );
    const system = this.#system.health();
    return {
      status: worst([system.status, ...dependencies.map(([, { status }]) => status)]),
      ...this.#identity,
      uptimeSeconds: Math.round((performance.now() - this.#startedAt) / 1000),
      dependencies: Object.fromEntries(dependencies),
      system,
    };
  }
}

function worst(statuses: readonly Status[]): Status {
  if (statuses.includes("critical")) return "critical";
  return statuses.includes("degraded") ? "degraded" : "healthy";
}
