import type { Services } from "../services.ts";
import { circuitBreakerStats } from "./circuit-breaker-stats.ts";
import type { Resource } from "./resource.ts";

/** Every resource, in the order clients see them. A new resource is a new file and a line here. */
export function createResources(services: Services): readonly Resource[] {
  return [circuitBreakerStats(services)];
}
