import type { z } from "zod";
import { count, duration, list } from "./kinds.ts";

/** Milliseconds. More frequent reports cost Redis more than they are worth. */
const LEAST_SYNC = 100;

const NAMES = ["database", "weather_api", "cache", "upstream", "token_keys"] as const;
const RULES = ["consecutive", "failure-rate", "adaptive"] as const;

type Rules = Partial<Record<(typeof NAMES)[number], (typeof RULES)[number]>>;

const rules = list.transform((entries, context): Rules => {
  const read: Rules = {};
  for (const entry of entries) {
    const [name, rule, more] = entry.split("=");
    const known = NAMES.find((one) => one === name);
    const opensOn = RULES.find((one) => one === rule);
    if (known !== undefined && opensOn !== undefined && more === undefined) read[known] = opensOn;
    else
      context.addIssue(
        `must be breakers with a rule, such as 'weather_api=adaptive': ${NAMES.join(", ")} with ${RULES.join(", ")}; '${entry}' is none`,
      );
  }
  return read;
});

/** What holds for every breaker in place of its own default. */
export const breakerVariables = {
  CB_FAILURE_THRESHOLD: count
    .optional()
    .describe(
      "Failures in a row after which a circuit breaker opens, for all of them. Without it: `database` 3, `weather_api` 5, `cache` 2, `token_keys` 3, one of an upstream 5.",
    ),
  CB_RECOVERY_TIMEOUT: duration("1ms", "24h")
    .optional()
    .describe(
      "How long an open breaker rejects before it lets a probe through; up to twice that after one has failed. Without it: `database` 30s, `weather_api` 60s, `cache` 10s, `token_keys` 5s, one of an upstream 30s.",
    ),
  CB_HALF_OPEN_LIMIT: count.prefault("1").describe("Probes that may be under way at the same time while half-open."),
  CB_SUCCESS_THRESHOLD: count.prefault("1").describe("Probes in a row that must succeed before a breaker closes."),
  // Tools have 30 s: what falls back when a guarded call has failed needs some of them.
  CB_TIMEOUT: duration("1ms", "20s")
    .optional()
    .describe(
      "How long one guarded call may take; longer counts as a failure. At most 20s, so that there is time to fall back. Without it: `database` 10s, `weather_api` 15s, `cache` 5s, `token_keys` 5s, one of an upstream 10s.",
    ),
  CB_RULES: rules
    .prefault("")
    .describe(
      "What opens a breaker besides failures in a row, breaker by breaker, such as `weather_api=failure-rate,upstream=adaptive`: `failure-rate` when half of its calls fail, `adaptive` when more fail or are slow than is usual for it.",
    ),
  CB_STATE_SYNC: duration("0s", "1m")
    .refine((value) => value === 0 || value >= LEAST_SYNC, `must be 0s or at least ${LEAST_SYNC}ms`)
    .prefault("1s")
    .describe(
      "How often a pod reports to the others, through Redis, how it finds what it depends on; that it has opened a breaker it reports at once. With `0s` each pod's breakers are its own.",
    ),
};

type Values = z.output<z.ZodObject<typeof breakerVariables>>;

/** How one breaker behaves. Durations are milliseconds. */
export interface BreakerSettings {
  readonly failureThreshold: number;
  readonly recoveryTimeout: number;
  readonly timeout: number;
  readonly halfOpenLimit: number;
  readonly successThreshold: number;
  /** What opens it besides failures in a row. */
  readonly opensOn: (typeof RULES)[number];
}

const DEFAULTS: Record<
  (typeof NAMES)[number],
  Pick<BreakerSettings, "failureThreshold" | "recoveryTimeout" | "timeout">
> = {
  database: { failureThreshold: 3, recoveryTimeout: 30_000, timeout: 10_000 },
  weather_api: { failureThreshold: 5, recoveryTimeout: 60_000, timeout: 15_000 },
  cache: { failureThreshold: 2, recoveryTimeout: 10_000, timeout: 5000 },
  /** Of an upstream that a client names. */
  upstream: { failureThreshold: 5, recoveryTimeout: 30_000, timeout: 10_000 },
  /** Of the issuer whose keys tokens are checked with. */
  token_keys: { failureThreshold: 3, recoveryTimeout: 5000, timeout: 5000 },
};

export interface BreakersConfig extends Readonly<Record<(typeof NAMES)[number], BreakerSettings>> {
  /** Milliseconds between two reports to the other pods; 0 for none. */
  readonly stateSync: number;
}

export function breakersConfig(values: Values): BreakersConfig {
  const settings = (name: (typeof NAMES)[number]): BreakerSettings => ({
    failureThreshold: values.CB_FAILURE_THRESHOLD ?? DEFAULTS[name].failureThreshold,
    recoveryTimeout: values.CB_RECOVERY_TIMEOUT ?? DEFAULTS[name].recoveryTimeout,
    timeout: values.CB_TIMEOUT ?? DEFAULTS[name].timeout,
    halfOpenLimit: values.CB_HALF_OPEN_LIMIT,
    successThreshold: values.CB_SUCCESS_THRESHOLD,
    opensOn: values.CB_RULES[name] ?? "consecutive",
  });
  return {
    database: settings("database"),
    weather_api: settings("weather_api"),
    cache: settings("cache"),
    upstream: settings("upstream"),
    token_keys: settings("token_keys"),
    stateSync: values.CB_STATE_SYNC,
  };
}
