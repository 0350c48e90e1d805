import type { BreakerState } from "../resilience/breaker.ts";
import { SystemResources, type SystemHealth } from "./system.ts";

export type Status = "healthy" | "degraded" | "critical";

/** How something the app depends on is doing. */
export interface DependencyHealth {
  readonly status: Status;
  /** Where a breaker guards it. */
  readonly breaker?: BreakerState;
  /** One sentence for people: what is wrong, or what it is. */
  readonly detail?: string;
}

/** Something the app depends on: a store, Redis, an upstream. */
export interface Dependency {
  /** What it is called in reports; one of two with the same name would hide the other. */
  readonly name: string;
  /** How it is, as far as is known now: a report never waits. */
  health(): DependencyHealth;
}

export interface HealthReport {
  readonly status: Status;
  readonly version: string;
  readonly color: string;
  readonly uptimeSeconds: number;
  readonly dependencies: Readonly<Record<string, DependencyHealth>>;
  readonly system: SystemHealth;
}

/**
 * What this pod says of itself.
 *
 * Readiness and health are apart: readiness is whether this pod can answer, and takes it out of service; health is whether the
 * answers are as good as they could be. A dependency that is down shows only in health, since taking pods out of service does
 * not bring it back, and would take all of them out at once.
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
   * @throws Error when there is one of this name
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
