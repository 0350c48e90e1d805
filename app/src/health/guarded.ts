import type { Breaker, BreakerState } from "../resilience/breaker.ts";
import type { Dependency, Status } from "./health.ts";

/**
 * A dependency as its breaker sees it.
 *
 * @param hasFallback - whether callers still get an answer, if a lesser one, while it is down
 */
export function guarded(breaker: Breaker, { hasFallback }: { readonly hasFallback: boolean }): Dependency {
  return {
    name: breaker.name,
    health: () => ({ status: statusOf(breaker.state, hasFallback), breaker: breaker.state }),
  };
}

/** Only a dependency that nothing stands in for can make the app fail its purpose. */
export function statusOf(state: BreakerState, hasFallback: boolean): Status {
  if (state === "closed") return "healthy";
  return state === "open" && !hasFallback ? "critical" : "degraded";
}
