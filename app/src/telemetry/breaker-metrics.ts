import type { Breaker, BreakerState } from "../resilience/breaker.ts";
import type { BreakerRegistry } from "../resilience/breaker-registry.ts";
import { counter, gauge, type Collector } from "./collector.ts";
import type { Sample } from "./exposition.ts";

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
  const each = (samples: (breaker: Breaker) => readonly Sample[]) => () =>
    [...breakers]
      .filter((breaker) => !isNamedByClient(breaker))
      .flatMap((breaker) =>
        samples(breaker).map((sample) => ({ ...sample, labels: { breaker: breaker.name, ...sample.labels } })),
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
    gauge(
      "mcp_breaker_state",
      "0 closed, 1 half-open, 2 open",
      each(({ state }) => [{ value: STATES[state] }]),
    ),
    gauge(
      "mcp_breaker_consecutive_failures",
      "Failures since the last success",
      each(({ stats }) => [{ value: stats.consecutiveFailures }]),
    ),
    counter(
      "mcp_breaker_calls_total",
      "Calls by outcome: success, failure, timeout, slow (answered, but too late to count as a success) or rejected",
      each(({ stats: { successes, failures, timeouts, slow, rejections } }) => [
        { labels: { outcome: "success" }, value: successes },
        { labels: { outcome: "failure" }, value: failures - timeouts - slow },
        { labels: { outcome: "timeout" }, value: timeouts },
        { labels: { outcome: "slow" }, value: slow },
        { labels: { outcome: "rejected" }, value: rejections },
      ]),
    ),
    counter(
      "mcp_breaker_transitions_total",
      "Changes of state",
      each((breaker) => transitions.get(breaker)?.samples ?? []),
    ),
  ];
}

/** Counts transitions when they happen, because they are rare. */
function countTransitions(breakers: BreakerRegistry): WeakMap<Breaker, Transitions> {
  const all = new WeakMap<Breaker, Transitions>();
  breakers.onEach((breaker) => {
    breaker.events.on((event) => {
      if (event.type !== "transition") return;
      const counted = all.get(breaker) ?? new Transitions();
      all.set(breaker, counted);
      counted.add(event.from, event.to);
    });
  });
  return all;
}

class Transitions {
  readonly #counts = new Map<string, { readonly labels: Readonly<Record<string, string>>; value: number }>();

  add(from: BreakerState, to: BreakerState): void {
    const key = `${from} ${to}`;
    const counted = this.#counts.get(key) ?? { labels: { from, to }, value: 0 };
    this.#counts.set(key, counted);
    counted.value += 1;
  }

  get samples(): readonly Sample[] {
    return [...this.#counts.values()];
  }
}
