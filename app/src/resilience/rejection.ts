import type { Decision, Trace } from "./trace.ts";

/** A call that a policy rejects: expected, and so a value and not an exception. */
export interface Rejection {
  readonly admitted: false;
  readonly reason: "open" | "probing" | "full" | "queue-timeout" | "rate" | "no-endpoint";
  readonly policy: string;
  /** Milliseconds after which a retry makes sense; 0 if unknown. */
  readonly retryAfterMs: number;
}

const POLICIES = {
  open: "breaker",
  probing: "breaker",
  full: "bulkhead",
  "queue-timeout": "bulkhead",
  rate: "rate-limiter",
  "no-endpoint": "load-balancer",
} as const satisfies Record<Rejection["reason"], Decision["policy"]>;

const SAID = {
  open: "the circuit breaker is open",
  probing: "the circuit breaker is waiting for its probes",
  full: "as many calls as are allowed are under way",
  "queue-timeout": "no slot became free in time",
  rate: "too many calls",
  "no-endpoint": "no endpoint takes calls",
} as const satisfies Record<Rejection["reason"], string>;

/** The error that `execute` throws for a rejection. Made by `thrown`. */
export class Rejected extends Error {
  override readonly name = "Rejected";
  readonly rejection: Rejection;

  constructor(rejection: Rejection) {
    const { policy, reason, retryAfterMs } = rejection;
    const advice = retryAfterMs > 0 ? `; try again in ${Math.ceil(retryAfterMs)} ms` : "";
    super(`${policy}: ${SAID[reason]}${advice}`);
    this.rejection = rejection;
  }

  get retryAfterMs(): number {
    return this.rejection.retryAfterMs;
  }
}

/**
 * Turns a rejection into an Error and records it in the call's trace. The Error has no stack:
 * collecting it takes ten times as long as the rest, when there are many rejections, and it would
 * only show this file.
 */
export function thrown(rejection: Rejection, trace?: Trace): Rejected {
  const { reason, policy: name, retryAfterMs } = rejection;
  trace?.decided({ policy: POLICIES[reason], name, decision: "rejected", details: { reason, retryAfterMs } });
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  const error = new Rejected(rejection);
  Error.stackTraceLimit = stackTraceLimit;
  return error;
}
