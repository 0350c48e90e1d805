import type { Services } from "../services.ts";
import type { Resource } from "./resource.ts";

/** Clients that listen are notified when a breaker changes state. */
export const CIRCUIT_BREAKER_STATS = "circuit-breaker://stats";

/**
 * State and counts of each breaker, the overall health and the latest transitions, without
 * upstreams that clients have found, because they show what other clients call.
 */
export function circuitBreakerStats({
  health,
  breakers,
  history,
  outbound,
}: Pick<Services, "health" | "breakers" | "history" | "outbound">): Resource {
  const isShown = (name: string) => !outbound.upstreams.isFoundByClient({ name });
  return {
    uri: CIRCUIT_BREAKER_STATS,
    name: "circuit-breaker-stats",
    title: "Circuit breakers",
    description:
      "State and counts of each circuit breaker, and their latest changes with the reason, oldest first; overall_health is healthy, degraded or critical.",
    read: () => ({
      overall_health: health.status,
      breakers: breakers.stats.filter(({ name }) => isShown(name)),
      history: history.entries.filter(({ breaker }) => isShown(breaker)),
    }),
  };
}
