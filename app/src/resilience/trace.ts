/** What a policy decided about one call, or did for it. */
export interface Decision {
  readonly policy:
    "breaker" | "bulkhead" | "cache" | "deadline" | "fallback" | "load-balancer" | "rate-limiter" | "retry";
  /** The policy's own name. */
  readonly name?: string;
  readonly decision: string;
  /** Milliseconds that it took, up to now, as a pause or a wait in a queue. @default 0 */
  readonly took?: number;
  /** What else there is to say. */
  readonly details?: Readonly<Record<string, string | number>>;
}

/**
 * Where what policies decide about one call is written down. Most calls have none, so a policy pays one look for it:
 *
 *     call.trace?.decided({ policy: "retry", name: this.name, decision: "gave up" });
 */
export interface Trace {
  /** Never waits, never throws. */
  decided(decision: Decision): void;
}
