import type { Breaker, BreakerState, BreakerStats } from "../resilience/breaker.ts";

export type Status = "healthy" | "degraded" | "critical";

/** Something the app calls, as its breaker sees it. */
export interface Dependency {
  readonly breaker: Breaker;
  /** Whether callers still get an answer, if a lesser one, while it is down. */
  readonly hasFallback: boolean;
}

export interface HealthReport {
  readonly status: Status;
  readonly version: string;
  readonly color: string;
  readonly uptimeSeconds: number;
  readonly dependencies: Readonly<Record<string, { readonly status: Status; readonly breaker: BreakerState }>>;
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
  readonly #dependencies: readonly Dependency[];
  readonly #startedAt = performance.now();
  #ready = false;

  constructor(identity: { readonly version: string; readonly color: string }, dependencies: readonly Dependency[]) {
    this.#identity = { version: identity.version, color: identity.color };
    this.#dependencies = dependencies;
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

  get breakers(): readonly BreakerStats[] {
    return this.#dependencies.map(({ breaker }) => breaker.stats);
  }

  get status(): Status {
    return worst(this.#dependencies.map((dependency) => statusOf(dependency)));
  }

  report(): HealthReport {
    return {
      status: this.status,
      ...this.#identity,
      uptimeSeconds: Math.round((performance.now() - this.#startedAt) / 1000),
      dependencies: Object.fromEntries(
        this.#dependencies.map((dependency) => [
          dependency.breaker.name,
          { status: statusOf(dependency), breaker: dependency.breaker.state },
        ]),
      ),
    };
  }
}

/** Only a dependency that nothing stands in for can make the app fail its purpose. */
export function statusOf({
  breaker,
  hasFallback,
}: Pick<Dependency, "hasFallback"> & { breaker: { state: BreakerState } }): Status {
  if (breaker.state === "closed") return "healthy";
  return breaker.state === "open" && !hasFallback ? "critical" : "degraded";
}

function worst(statuses: readonly Status[]): Status {
  if (statuses.includes("critical")) return "critical";
  return statuses.includes("degraded") ? "degraded" : "healthy";
}
