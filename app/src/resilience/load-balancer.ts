import { STRATEGIES, type Chooser, type Strategy } from "./balancing.ts";
import type { BreakerOptions, Outcome } from "./breaker-options.ts";
import { Breaker } from "./breaker.ts";
import { asError, PLAIN_CALL, start, type Call } from "./call.ts";
import { DeadlineExceeded } from "./deadline.ts";
import type { Permit } from "./permit.ts";
import { isProgrammingError } from "./programming-error.ts";
import { Rejected, thrown, type Rejection } from "./rejection.ts";
import type { Time } from "./time.ts";

export interface Endpoint<T> {
  readonly name: string;
  /** Passed to the work: an address, a client. */
  readonly target: T;
  /** Share compared with the other endpoints; 0 for none. @default 1 */
  readonly weight?: number;
  /**
   * Ejects the endpoint while it is not closed; for a breaker that is shared with other callers.
   * @default - its own, by `ejection`
   */
  readonly breaker?: Breaker;
}

export interface LoadBalancerOptions<T> {
  readonly name: string;
  readonly endpoints: readonly Endpoint<T>[];

  /** @default "least-loaded" */
  readonly strategy?: Strategy;

  /**
   * Options of an endpoint's own breaker, and the outcome of errors.
   *
   * @default - opens after 5 consecutive failures, for 10 s, growing to 60 s
   */
  readonly ejection?: Omit<BreakerOptions, "name" | "time" | "random" | "timeout">;

  /**
   * Largest share of ejected endpoints. If more fail, the cause is probably not the endpoints.
   * @default 0.5
   */
  readonly maxEjected?: number;

  readonly time?: Time;

  /** From 0 to 1, excluding 1. @default Math.random */
  readonly random?: () => number;
}

const EJECTION: NonNullable<LoadBalancerOptions<unknown>["ejection"]> = {
  failureThreshold: 5,
  recoveryTimeout: 10_000,
  maxRecoveryTimeout: 60_000,
};

class Member<T> {
  readonly name: string;
  readonly target: T;
  readonly breaker: Breaker;
  weight: number;
  inFlight = 0;
  isEjected = false;

  constructor({ name, target, weight = 1 }: Endpoint<T>, breaker: Breaker) {
    this.name = name;
    this.target = target;
    this.weight = validWeight(name, weight);
    this.breaker = breaker;
  }
}

/** An endpoint for one call. Call `settle` once; later calls have no effect. */
export class Picked<T> {
  readonly admitted = true;
  readonly endpoint: string;
  readonly target: T;
  #member: Member<T> | undefined;
  /** Absent for an endpoint that stays in rotation only because of `maxEjected`. */
  readonly #permit: Permit | undefined;

  constructor(member: Member<T>, permit: Permit | undefined) {
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
    if (outcome === "success") this.#permit?.succeed();
    else if (outcome === "failure") this.#permit?.fail(error);
    else this.#permit?.cancel();
  }
}

/**
 * Spreads calls over equivalent endpoints and ejects endpoints that keep failing.
 *
 * After its recovery time, an ejected endpoint gets the next call as its probe. Weights may change
 * while calls are in flight.
 *
 * @see https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/outlier
 */
export class LoadBalancer<T> {
  readonly name: string;
  readonly #members: readonly Member<T>[];
  readonly #strategy: Strategy;
  /** One chooser for each strategy; each keeps its own state. */
  readonly #choosers = new Map<Strategy, Chooser>();
  readonly #random: () => number;
  readonly #maxEjected: number;
  readonly #judge: ((error: unknown) => Outcome) | undefined;
  /** Endpoints that get calls. */
  #inRotation: readonly Member<T>[] = [];
  #ejected: readonly Member<T>[] = [];

  constructor(options: LoadBalancerOptions<T>) {
    const { name, endpoints, strategy = "least-loaded", ejection = EJECTION, time, random = Math.random } = options;
    if (endpoints.length === 0) throw new Error(`load balancer '${name}' needs at least one endpoint`);
    if (new Set(endpoints.map((endpoint) => endpoint.name)).size < endpoints.length)
      throw new Error(`load balancer '${name}' has two endpoints of one name`);
    this.name = name;
    this.#maxEjected = options.maxEjected ?? 0.5;
    this.#strategy = strategy;
    this.#random = random;
    this.#judge = ejection.judge;
    this.#members = endpoints.map((endpoint) => {
      const breaker =
        endpoint.breaker ?? new Breaker({ ...ejection, name: endpoint.name, random, ...(time && { time }) });
      breaker.events.on((event) => {
        if (event.type === "transition") this.#rotate();
      });
      return new Member(endpoint, breaker);
    });
    this.#rotate();
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
    this.#rotate();
  }

  /** @param strategy - in place of the balancer's own */
  pick(strategy = this.#strategy): Picked<T> | Rejection {
    for (const member of this.#ejected) {
      if (member.weight === 0 || !member.breaker.mayAdmit) continue;
      const permit = member.breaker.tryAcquire();
      if (permit.admitted) return new Picked(member, permit);
    }
    if (this.#inRotation.length === 0)
      return { admitted: false, reason: "no-endpoint", policy: this.name, retryAfterMs: this.#untilReadmission() };
    const member = this.#chooser(strategy)(this.#inRotation);
    const permit = member.breaker.mayAdmit ? member.breaker.tryAcquire() : undefined;
    return new Picked(member, permit?.admitted === true ? permit : undefined);
  }

  /**
   * @param strategy - in place of the balancer's own
   * @throws Rejected, and the error of the work
   */
  execute<R>(
    work: (target: T, call: Call) => Promise<R>,
    call: Call = PLAIN_CALL,
    strategy = this.#strategy,
  ): Promise<R> {
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

  #untilReadmission(): number {
    const waits = this.#ejected.filter(({ weight }) => weight > 0).map(({ breaker }) => breaker.stats.retryAfterMs);
    return waits.length === 0 ? 0 : Math.min(...waits);
  }

  /** Decides which endpoints get calls: the healthy ones, and failing ones beyond `maxEjected`. */
  #rotate(): void {
    const usable = this.#members.filter(({ weight }) => weight > 0);
    const unwell = usable.filter(({ breaker }) => breaker.state !== "closed");
    // Ejected endpoints stay ejected; others that fail stay in rotation when enough are ejected.
    const mayBeOut = Math.floor(this.#maxEjected * usable.length);
    const out = new Set(
      unwell.toSorted((one, other) => Number(other.isEjected) - Number(one.isEjected)).slice(0, mayBeOut),
    );
    this.#ejected = usable.filter((member) => out.has(member));
    this.#inRotation = usable.filter((member) => !out.has(member));
    for (const member of this.#members) member.isEjected = out.has(member);
  }
}

function validWeight(endpoint: string, weight: number): number {
  if (!(weight >= 0 && weight < Infinity))
    throw new Error(`the weight (${weight}) of endpoint '${endpoint}' must be 0 or more`);
  return weight;
}
