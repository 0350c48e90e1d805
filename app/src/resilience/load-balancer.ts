import { STRATEGIES, type Chooser, type Strategy } from "./balancing.ts";
import type { BreakerState, Outcome } from "./breaker-options.ts";
import type { Breaker } from "./breaker.ts";
import { asError, PLAIN_CALL, start, type Call } from "./call.ts";
import { DeadlineExceeded } from "./deadline.ts";
import { isProgrammingError } from "./programming-error.ts";
import { Rejected, thrown, type Rejection } from "./rejection.ts";

export interface Endpoint<T> {
  readonly name: string;
  /** Passed to the work: an address, a client. */
  readonly target: T;
  /** Share compared with the other endpoints; 0 for none. @default 1 */
  readonly weight?: number;
  /** Ejects the endpoint while it is not closed. Other callers may share it. */
  readonly breaker: Breaker;
}

export interface LoadBalancerOptions<T> {
  readonly name: string;
  readonly endpoints: readonly Endpoint<T>[];

  /** The outcome of an error. @default - `nothing` for a Rejected, otherwise `failure` */
  readonly judge?: (error: unknown) => Outcome;

  /** From 0 to 1, excluding 1. @default Math.random */
  readonly random?: () => number;
}

class Member<T> {
  readonly endpoint: Endpoint<T>;
  weight: number;
  inFlight = 0;

  constructor(endpoint: Endpoint<T>) {
    this.endpoint = endpoint;
    this.weight = validWeight(endpoint.name, endpoint.weight ?? 1);
  }

  get isEjected(): boolean {
    return this.endpoint.breaker.state !== "closed";
  }

  get health(): EndpointHealth {
    const { weight, inFlight, isEjected } = this;
    const { name, breaker } = this.endpoint;
    return { endpoint: name, weight, inFlight, breaker: breaker.state, ejected: isEjected };
  }
}

export interface EndpointHealth {
  readonly endpoint: string;
  readonly weight: number;
  readonly inFlight: number;
  readonly breaker: BreakerState;
  /** Whether it gets no calls except probes. */
  readonly ejected: boolean;
}

/** An endpoint for one call. Call `settle` once. */
export interface Picked<T> {
  readonly admitted: true;
  readonly endpoint: string;
  readonly target: T;
  settle(outcome: Outcome, error?: unknown): void;
}

/**
 * Spreads calls over equivalent endpoints and ejects endpoints that keep failing.
 *
 * An endpoint is ejected while its breaker is not closed. After the recovery time it gets the next
 * call as its probe. Weights may change while calls are in flight.
 *
 * @see https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/outlier
 */
export class LoadBalancer<T> {
  readonly name: string;
  readonly #members: readonly Member<T>[];
  /** One chooser for each strategy; each keeps its own state. */
  readonly #choosers = new Map<Strategy, Chooser>();
  readonly #random: () => number;
  readonly #judge: ((error: unknown) => Outcome) | undefined;

  constructor({ name, endpoints, judge, random = Math.random }: LoadBalancerOptions<T>) {
    if (endpoints.length === 0) throw new Error(`load balancer '${name}' needs at least one endpoint`);
    if (new Set(endpoints.map((endpoint) => endpoint.name)).size < endpoints.length)
      throw new Error(`load balancer '${name}' has two endpoints of one name`);
    this.name = name;
    this.#random = random;
    this.#judge = judge;
    this.#members = endpoints.map((endpoint) => new Member(endpoint));
  }

  get endpoints(): readonly EndpointHealth[] {
    return this.#members.map(({ health }) => health);
  }

  /** @throws Error for an unknown endpoint, or a weight below 0 */
  setWeight(endpoint: string, weight: number): void {
    const member = this.#members.find((one) => one.endpoint.name === endpoint);
    if (member === undefined) throw new Error(`load balancer '${this.name}' has no endpoint '${endpoint}'`);
    member.weight = validWeight(endpoint, weight);
  }

  pick(strategy: Strategy): Picked<T> | Rejection {
    const usable = this.#members.filter(({ weight }) => weight > 0);
    for (const member of usable) {
      if (!member.isEjected || !member.endpoint.breaker.mayAdmit) continue;
      const probe = admit(member);
      if (probe.admitted) return probe;
    }
    const inRotation = usable.filter(({ isEjected }) => !isEjected);
    if (inRotation.length > 0) return admit(this.#chooser(strategy)(inRotation));
    const waits = usable.map(({ endpoint }) => endpoint.breaker.stats.retryAfterMs);
    const retryAfterMs = waits.length === 0 ? 0 : Math.min(...waits);
    return { admitted: false, reason: "no-endpoint", policy: this.name, retryAfterMs };
  }

  /** @throws Rejected, and the error of the work */
  execute<R>(work: (target: T, call: Call) => Promise<R>, strategy: Strategy, call: Call = PLAIN_CALL): Promise<R> {
    if (call.cancelled) return Promise.reject(asError(call.reason));
    const picked = this.pick(strategy);
    if (!picked.admitted) return Promise.reject(thrown(picked, call.trace));
    const { endpoint } = picked;
    call.trace?.decided({ policy: "load-balancer", name: this.name, decision: "picked", details: { endpoint } });
    return start((inner) => work(picked.target, inner), call).then(
      (result) => {
        picked.settle("success");
        return result;
      },
      (error: unknown) => {
        let outcome: Outcome = "nothing";
        try {
          outcome = this.#outcome(error, call);
        } finally {
          picked.settle(outcome, error);
        }
        throw error;
      },
    );
  }

  #chooser(strategy: Strategy): Chooser {
    let chooser = this.#choosers.get(strategy);
    if (chooser === undefined) {
      chooser = STRATEGIES[strategy](this.#random);
      this.#choosers.set(strategy, chooser);
    }
    return chooser;
  }

  #outcome(error: unknown, call: Call): Outcome {
    if (call.cancelled) return call.reason instanceof DeadlineExceeded ? "failure" : "nothing";
    if (isProgrammingError(error)) return "nothing";
    return this.#judge?.(error) ?? (error instanceof Rejected ? "nothing" : "failure");
  }
}

function admit<T>(member: Member<T>): Picked<T> | Rejection {
  const { name, target, breaker } = member.endpoint;
  const permit = breaker.tryAcquire();
  if (!permit.admitted) return permit;
  member.inFlight += 1;
  return {
    admitted: true,
    endpoint: name,
    target,
    settle: (outcome, error) => {
      member.inFlight -= 1;
      permit.settle(outcome, error);
    },
  };
}

function validWeight(endpoint: string, weight: number): number {
  if (!(weight >= 0 && weight < Infinity))
    throw new Error(`the weight (${weight}) of endpoint '${endpoint}' must be 0 or more`);
  return weight;
}
