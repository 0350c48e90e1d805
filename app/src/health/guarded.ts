import type { Breaker, BreakerState } from "../resilience/breaker.ts";
import type { Dependency, Status } from "./health.ts";

/**
 * Reports a dependency by the state of its breaker.
 *
 * @param hasFallback - whether callers still get an answer, perhaps a lesser one, while it is down
 */
export function guarded(breaker: Breaker, { hasFallback }: { readonly hasFallback: boolean }): Dependency {
  return {
    name: breaker.name,
    health: () => ({ status: statusOf(breaker.state, hasFallback), breaker: breaker.state }),
  };
}

/** Only a dependency without a fallback makes the pod critical. */
export function statusOf(state: BreakerState, hasFallback: boolean): Status {
  if (state === "closed") return "healthy";
  return state === "open" && !hasFallback ? "critical" : "degraded";
}
