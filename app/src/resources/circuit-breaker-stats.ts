import type { Health } from "../health/health.ts";
import type { Resource } from "./resource.ts";

/** Each breaker's state and counts, and what they come to. */
export function circuitBreakerStats(health: Health): Resource {
  return {
    uri: "circuit-breaker://stats",
    name: "circuit-breaker-stats",
    title: "Circuit breakers",
    description: "State and counts of each circuit breaker; overall_health is healthy, degraded or critical.",
    read: () => ({
      overall_health: health.status,
      breakers: health.breakers,
    }),
  };
}
