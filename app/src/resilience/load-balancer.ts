import { STRATEGIES, type Chooser, type Strategy } from "./balancing.ts";
import type { Outcome } from "./breaker-options.ts";
import type { Breaker } from "./breaker.ts";
import { asError, PLAIN_CALL, start, type Call } from "./call.ts";
import { DeadlineExceeded } from "./deadline.ts";
import type { Permit } from "./permit.ts";
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
  readonly name: string;
  readonly target: T;
  readonly breaker: Breaker;
  weight: number;
  inFlight = 0;

  constructor({ name, target, weight = 1, breaker }: Endpoint<T>) {
    this.name = name;
    this.target = target;
    this.weight = validWeight(name, weight);
    this.breaker = breaker;
  }

  get isEjected(): boolean {
    return this.breaker.state !== "closed";
  }
}

/** An endpoint for one call. Call `settle` once; later calls have no effect. */
export class Picked<T> {
  readonly admitted = true;
  readonly endpoint: string;
  readonly target: T;
  #member: Member<T> | undefined;
  readonly #permit: Permit;

  constructor(member: Member<T>, permit: Permit) {
    this.endpoint = member.name;
    this.target = member.target;
    this.#member = member;
    this.#permit = permit;
    member.inFlight += 1;
  }

  settle(outcome: Outcome, error?: unknown): void {
    if (this.#member === undefined) return;
    this.#member.inFlight -= 1;
    this.#member = undefined;
    if (outcome === "success") this.#permit.succeed();
    else if (outcome === "failure") this.#permit.fail(error);
    else this.#permit.cancel();
  }
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

  /** Load of each endpoint, and whether it is ejected. */
  get endpoints(): readonly Pick<Member<T>, "name" | "weight" | "inFlight" | "isEjected">[] {
    return this.#members.map(({ name, weight, inFlight, isEjected }) => ({ name, weight, inFlight, isEjected }));
  }

  /** @throws Error for an unknown endpoint, or a weight below 0 */
  setWeight(endpoint: string, weight: number): void {
    const member = this.#members.find(({ name }) => name === endpoint);
    if (member === undefined) throw new Error(`load balancer '${this.name}' has no endpoint '${endpoint}'`);
    member.weight = validWeight(endpoint, weight);
  }

  pick(strategy: Strategy): Picked<T> | Rejection {
    const usable = this.#members.filter(({ weight }) => weight > 0);
    for (const member of usable) {
      if (!member.isEjected || !member.breaker.mayAdmit) continue;
      const permit = member.breaker.tryAcquire();
      if (permit.admitted) return new Picked(member, permit);
    }
    const inRotation = usable.filter(({ isEjected }) => !isEjected);
    if (inRotation.length === 0) {
      const waits = usable.map(({ breaker }) => breaker.stats.retryAfterMs);
      const retryAfterMs = waits.length === 0 ? 0 : Math.min(...waits);
      return { admitted: false, reason: "no-endpoint", policy: this.name, retryAfterMs };
    }
    const member = this.#chooser(strategy)(inRotation);
    const permit = member.breaker.tryAcquire();
    return permit.admitted ? new Picked(member, permit) : permit;
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

function validWeight(endpoint: string, weight: number): number {
  if (!(weight >= 0 && weight < Infinity))
    throw new Error(`the weight (${weight}) of endpoint '${endpoint}' must be 0 or more`);
  return weight;
}
