import type { Time } from "./time.ts";

export const BREAKER_STATES = ["closed", "open", "half-open"] as const;

export type BreakerState = (typeof BREAKER_STATES)[number];

/**
 * The result of a call for its breaker. `nothing`: no result, as when the caller went away or made
 * a mistake.
 */
export type Outcome = "success" | "failure" | "nothing";

/** Decides, while a breaker is closed, whether it should open. */
export interface OpeningRule {
  /** Records how a call ended and its duration in milliseconds; returns whether to open. */
  record(failed: boolean, elapsed: number, now: number): boolean;
  /** The breaker has closed: earlier calls no longer count. */
  reset(): void;
}

export interface BreakerOptions {
  readonly name: string;

  /**
   * Consecutive failures that open a closed breaker. @default - only `rule` opens it; one of the
   * two is required
   */
  readonly failureThreshold?: number;

  /** Another rule that opens it, such as a `FailureRate`. */
  readonly rule?: OpeningRule;

  /**
   * Milliseconds for which an open breaker rejects all calls; about twice as many after failed
   * probes.
   */
  readonly recoveryTimeout: number;

  /**
   * Consecutive successful probes that close a half-open breaker; one failure opens it again.
   * @default 1
   */
  readonly successThreshold?: number;

  /** Concurrent probes. @default 1 */
  readonly halfOpenLimit?: number;

  /**
   * Milliseconds that a call made with `execute` may take; longer counts as a failure. @default -
   * no limit
   */
  readonly timeout?: number;

  /** The outcome of an error. @default - `nothing` for a Rejected, otherwise `failure` */
  readonly judge?: (error: unknown) => Outcome;

  /**
   * Whether the dependency belongs to this process alone, so that pods do not share this breaker.
   * @default false
   */
  readonly local?: boolean;

  readonly time?: Time;

  /** From 0 to 1, excluding 1. @default Math.random */
  readonly random?: () => number;
}

/**
 * @throws Error for options with which it would never open, open without a failure, or never close
 *   again
 */
export function checked(options: BreakerOptions): BreakerOptions {
  const { name, rule, recoveryTimeout, successThreshold = 1, halfOpenLimit = 1 } = options;
  const { failureThreshold = rule && Infinity } = options;
  if (failureThreshold === undefined)
    throw new Error(`breaker '${name}' needs a 'failureThreshold' or a 'rule', or it would never open`);
  if (!(failureThreshold >= 1 && successThreshold >= 1 && halfOpenLimit >= 1 && recoveryTimeout >= 0))
    throw new Error(
      `breaker '${name}' needs 'failureThreshold' (${failureThreshold}), 'successThreshold' (${successThreshold}) and 'halfOpenLimit' (${halfOpenLimit}) of at least 1, and 'recoveryTimeout' (${recoveryTimeout}) of at least 0`,
    );
  return options;
}

export interface BreakerStats {
  readonly name: string;
  readonly state: BreakerState;
  /** Opened by an operator until it is reset. */
  readonly forced: boolean;
  readonly successes: number;
  readonly failures: number;
  /** Failures whose time was over. */
  readonly timeouts: number;
  readonly rejections: number;
  /** Failures since the last success; compared with the threshold. */
  readonly consecutiveFailures: number;
  readonly retryAfterMs: number;
}

/**
 * The cause of a transition: consecutive failures, or the rule; the end of the recovery time; the
 * result of probes, or no result in time; an operator. Where pods decide together, `quorum` means
 * that most of their breakers were open, and `cluster` that this breaker follows the decision.
 */
export type TransitionReason = (typeof TRANSITION_REASONS)[number];

export const TRANSITION_REASONS = [
  "failures",
  "rule",
  "recovery-time",
  "probe-failed",
  "probes-lost",
  "probes-succeeded",
  "forced",
  "reset",
  "quorum",
  "cluster",
] as const;

export type BreakerEvent =
  | {
      readonly type: "transition";
      readonly name: string;
      readonly from: BreakerState;
      readonly to: BreakerState;
      readonly reason: TransitionReason;
      /** The error of the last failed call since the breaker was last closed; only for logs. */
      readonly error?: unknown;
    }
  /** An operator has opened it permanently, or has reset it, in any state. */
  | { readonly type: "operator"; readonly name: string; readonly forced: boolean };
