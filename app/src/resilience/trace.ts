/** A decision of a policy about one call. */
export interface Decision {
  readonly policy:
    "breaker" | "bulkhead" | "cache" | "deadline" | "fallback" | "load-balancer" | "rate-limiter" | "retry";
  readonly name?: string;
  readonly decision: string;
  /** Milliseconds that it took, as a pause or a wait in a queue. @default 0 */
  readonly took?: number;
  readonly details?: Readonly<Record<string, string | number>>;
}

/**
 * Records the decisions of policies about one call. Most calls have none:
 *
 * call.trace?.decided({ policy: "retry", name: this.name, decision: "gave up" });
 */
export interface Trace {
  /** Never waits, never throws. */
  decided(decision: Decision): void;
}
