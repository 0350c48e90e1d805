import type { Decision, Trace } from "./trace.ts";

/** The policy of each reason, and its sentence. */
const REASONS = {
  open: ["breaker", "the circuit breaker is open"],
  probing: ["breaker", "the circuit breaker is waiting for its probes"],
  full: ["bulkhead", "as many calls as are allowed are under way"],
  "queue-timeout": ["bulkhead", "no slot became free in time"],
  rate: ["rate-limiter", "too many calls"],
  "no-endpoint": ["load-balancer", "no endpoint takes calls"],
} as const satisfies Record<string, readonly [policy: Decision["policy"], said: string]>;

/** A call that a policy rejects: expected, and so a value and not an exception. */
export interface Rejection {
  readonly admitted: false;
  readonly reason: keyof typeof REASONS;
  /** The policy's name. */
  readonly policy: string;
  /** Milliseconds after which a retry makes sense; 0 if unknown. */
  readonly retryAfterMs: number;
}

/** The error that `execute` throws for a rejection. Made by `thrown`. */
export class Rejected extends Error {
  override readonly name = "Rejected";
  readonly rejection: Rejection;

  constructor(rejection: Rejection) {
    const { policy, reason, retryAfterMs } = rejection;
    const advice = retryAfterMs > 0 ? `; try again in ${Math.ceil(retryAfterMs)} ms` : "";
    super(`${policy}: ${REASONS[reason][1]}${advice}`);
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
  trace?.decided({ policy: REASONS[reason][0], name, decision: "rejected", details: { reason, retryAfterMs } });
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  const error = new Rejected(rejection);
  Error.stackTraceLimit = stackTraceLimit;
  return error;
}
