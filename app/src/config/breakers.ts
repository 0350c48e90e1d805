import type { z } from "zod";
import { count, duration, list } from "./kinds.ts";

/** Milliseconds. More frequent reports would load Redis without benefit. */
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

/** Values for all breakers; without them, each breaker has its own default. */
export const breakerVariables = {
  CB_FAILURE_THRESHOLD: count
    .optional()
    .describe(
      "Consecutive failures that open a circuit breaker, for all breakers. Without it: `database` 3, `weather_api` 5, `cache` 2, `token_keys` 3, `upstream` 5.",
    ),
  CB_RECOVERY_TIMEOUT: duration("1ms", "24h")
    .optional()
    .describe(
      "Time after which an open breaker admits a probe; up to twice as long after a failed probe. Without it: `database` 30s, `weather_api` 60s, `cache` 10s, `token_keys` 5s, `upstream` 30s.",
    ),
  CB_HALF_OPEN_LIMIT: count.prefault("1").describe("Concurrent probes of a half-open breaker."),
  CB_SUCCESS_THRESHOLD: count.prefault("1").describe("Consecutive successful probes that close a breaker."),
  // Less than the 30 s of a tool, so that there is time for a fallback.
  CB_TIMEOUT: duration("1ms", "20s")
    .optional()
    .describe(
      "Time limit of a call through a breaker; a longer call is a failure. At most 20s, so that there is time for a fallback. Without it: `database` 10s, `weather_api` 15s, `cache` 5s, `token_keys` 5s, `upstream` 10s.",
    ),
  CB_RULES: rules
    .prefault("")
    .describe(
      "Rules that open breakers besides consecutive failures, such as `weather_api=failure-rate,upstream=adaptive`: `failure-rate` opens when half of the calls fail, `adaptive` when more calls than usual fail or are slow.",
    ),
  CB_STATE_SYNC: duration("0s", "1m")
    .refine((value) => value === 0 || value >= LEAST_SYNC, `must be 0s or at least ${LEAST_SYNC}ms`)
    .prefault("1s")
    .describe(
      "Interval at which a pod reports the state of its breakers to other pods through Redis. It reports an opened breaker at once. With `0s`, pods do not share breakers.",
    ),
};

type Values = z.output<z.ZodObject<typeof breakerVariables>>;

const DEFAULTS = {
  database: { failureThreshold: 3, recoveryTimeout: 30_000, timeout: 10_000 },
  weather_api: { failureThreshold: 5, recoveryTimeout: 60_000, timeout: 15_000 },
  cache: { failureThreshold: 2, recoveryTimeout: 10_000, timeout: 5000 },
  /** For upstreams that clients name. */
  upstream: { failureThreshold: 5, recoveryTimeout: 30_000, timeout: 10_000 },
  /** For the issuer of tokens. */
  token_keys: { failureThreshold: 3, recoveryTimeout: 5000, timeout: 5000 },
};

export function breakersConfig(values: Values) {
  const settings = (name: (typeof NAMES)[number]) => ({
    failureThreshold: values.CB_FAILURE_THRESHOLD ?? DEFAULTS[name].failureThreshold,
    recoveryTimeout: values.CB_RECOVERY_TIMEOUT ?? DEFAULTS[name].recoveryTimeout,
    timeout: values.CB_TIMEOUT ?? DEFAULTS[name].timeout,
    halfOpenLimit: values.CB_HALF_OPEN_LIMIT,
    successThreshold: values.CB_SUCCESS_THRESHOLD,
    /** Rule that opens it besides consecutive failures. */
    opensOn: values.CB_RULES[name] ?? "consecutive",
  });
  return {
    database: settings("database"),
    weather_api: settings("weather_api"),
    cache: settings("cache"),
    upstream: settings("upstream"),
    token_keys: settings("token_keys"),
    /** Milliseconds between two reports to the other pods; 0 for none. */
    stateSync: values.CB_STATE_SYNC,
  };
}

/** Settings of one breaker. Durations are milliseconds. */
export type BreakerSettings = Readonly<ReturnType<typeof breakersConfig>[(typeof NAMES)[number]]>;
