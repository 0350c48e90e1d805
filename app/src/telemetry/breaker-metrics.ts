import type { Breaker, BreakerState } from "../resilience/breaker.ts";
import type { BreakerRegistry } from "../resilience/breaker-registry.ts";
import { counter, gauge, ofEach, type Collector } from "./collector.ts";

const STATES: Readonly<Record<BreakerState, number>> = { closed: 0, "half-open": 1, open: 2 };

/** Prefix of their names. */
export const BREAKER_METRICS = "mcp_breaker";

/**
 * The metrics of breakers, also shown alone at `/metrics/circuit_breaker`.
 *
 * @param isNamedByClient - breakers that are only counted: their names are unlimited, and each
 *   label value is stored permanently
 */
export function breakerMetrics(
  breakers: BreakerRegistry,
  isNamedByClient: (breaker: Breaker) => boolean,
): readonly Collector[] {
  const transitions = countTransitions(breakers);
  const shown = () => [...breakers].filter((breaker) => !isNamedByClient(breaker));
  const each = ofEach(
    () => shown().map(({ stats }) => ({ ...stats, code: STATES[stats.state] })),
    ({ name }) => ({ breaker: name }),
  );
  return [
    gauge(
      "mcp_breakers",
      "Breakers in each state, also those whose names clients gave, which are not shown one by one",
      () =>
        Object.keys(STATES).map((state) => ({
          labels: { state },
          value: [...breakers].filter((breaker) => breaker.state === state).length,
        })),
    ),
    gauge("mcp_breaker_state", "0 closed, 1 half-open, 2 open", each.of("code")),
    gauge("mcp_breaker_consecutive_failures", "Failures since the last success", each.of("consecutiveFailures")),
    counter(
      "mcp_breaker_calls_total",
      "Calls by outcome: success, failure, timeout or rejected",
      each.by("outcome", ({ successes, failures, timeouts, rejections }) => {
        return {
          success: successes,
          failure: failures - timeouts,
          timeout: timeouts,
          rejected: rejections,
        };
      }),
    ),
    counter("mcp_breaker_transitions_total", "Changes of state", () =>
      shown().flatMap((breaker) =>
        Array.from(transitions.get(breaker) ?? [], ([change, value]) => {
          const [from, to] = change.split(" ");
          return { labels: { breaker: breaker.name, from, to }, value };
        }),
      ),
    ),
  ];
}

/** The transitions of each breaker, by `from to`. Counted when they happen, because they are rare. */
function countTransitions(breakers: BreakerRegistry): WeakMap<Breaker, Map<string, number>> {
  const all = new WeakMap<Breaker, Map<string, number>>();
  breakers.onEach((breaker) => {
    breaker.events.on((event) => {
      if (event.type !== "transition") return;
      const counts = all.get(breaker) ?? new Map<string, number>();
      const change = `${event.from} ${event.to}`;
      all.set(breaker, counts.set(change, (counts.get(change) ?? 0) + 1));
    });
  });
  return all;
}
