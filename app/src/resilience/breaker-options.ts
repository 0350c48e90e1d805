import type { Time } from "./time.ts";

export type BreakerState = "closed" | "open" | "half-open";

/** What a call told of the dependency. `nothing`: its caller went away, say, or made a mistake. */
export type Outcome = "success" | "failure" | "nothing";

/** Decides, while a breaker is closed, whether it should open. */
export interface OpeningRule {
  /** Takes in how a call ended and how long it took, in milliseconds; says whether to open. */
  record(failed: boolean, elapsed: number, now: number): boolean;
  /** The breaker has closed: what was before does not count any more. */
  reset(): void;
}

export interface BreakerOptions {
  readonly name: string;

  /** Failures in a row, while closed, that open the breaker. @default - only `rule` opens it; one of the two is needed */
  readonly failureThreshold?: number;

  /** What else opens it, as a `FailureRate`. */
  readonly rule?: OpeningRule;

  /** Milliseconds above which a call that succeeds counts as a failure. @default Infinity */
  readonly slowCall?: number;

  /** Milliseconds that an open breaker rejects everything. */
  readonly recoveryTimeout: number;

  /** What the recovery timeout is multiplied with each time that probes fail. @default 2 */
  readonly recoveryGrowth?: number;

  /** Most milliseconds it grows to. @default - twice `recoveryTimeout`, so that a recovery is found within two of them */
  readonly maxRecoveryTimeout?: number;

  /** The part of a timeout that has grown which is left to chance, so that pods do not probe in step; 0 to 1. @default 0.2 */
  readonly recoveryJitter?: number;

  /** Probes in a row, while half-open, that must succeed to close it; one failure opens it again. @default 1 */
  readonly successThreshold?: number;

  /** Probes that may be under way at the same time. @default 1 */
  readonly halfOpenLimit?: number;

  /** Milliseconds that a call made with `execute` may take; longer counts as a failure. @default - no limit */
  readonly timeout?: number;

  /** What an error thrown inside `execute` tells of the dependency. @default - `nothing` for a Rejected, else `failure` */
  readonly judge?: (error: unknown) => Outcome;

  /** Whether what it guards is this process's own, so that it tells nothing of other pods' and is not shared with them. @default false */
  readonly local?: boolean;

  /** @default SYSTEM_TIME */
  readonly time?: Time;

  /** From 0 to 1, excluding 1. @default Math.random */
  readonly random?: () => number;
}

/** @throws Error for options with which it would never open, open without a failure, or never close again */
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
  /** Opened by an operator, until it is reset. */
  readonly forced: boolean;
  readonly successes: number;
  readonly failures: number;
  /** Of the failures: calls whose time was over. */
  readonly timeouts: number;
  /** Of the failures: calls that succeeded too slowly. */
  readonly slow: number;
  readonly rejections: number;
  /** Failures since the last success; what the threshold is compared with. */
  readonly consecutiveFailures: number;
  readonly retryAfterMs: number;
}

/**
 * What moved a breaker: failures in a row, or its rule; the end of its recovery time; what its probes said, or that nothing was
 * heard of them; an operator. Where pods decide together, `quorum` is that most of theirs were open, and `cluster` that this one
 * follows what was decided.
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

export interface Transition {
  readonly type: "transition";
  readonly name: string;
  readonly from: BreakerState;
  readonly to: BreakerState;
  readonly reason: TransitionReason;
  /** Of the last call here that failed, since the breaker was last closed; for logs alone. */
  readonly error?: unknown;
}

export type BreakerEvent =
  | Transition
  | { readonly type: "rejected"; readonly name: string; readonly retryAfterMs: number }
  /** An operator has opened it to stay so, or reset it, whatever its state was. */
  | { readonly type: "operator"; readonly name: string; readonly forced: boolean }
  | { readonly type: "failure"; readonly name: string; readonly kind: "error" | "slow" };
