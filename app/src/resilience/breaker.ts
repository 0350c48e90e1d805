import {
  checked,
  type BreakerEvent,
  type BreakerOptions,
  type BreakerState,
  type BreakerStats,
  type Outcome,
  type TransitionReason,
} from "./breaker-options.ts";
import { asError, PLAIN_CALL, start, type Call, type Policy, type Work } from "./call.ts";
import { DeadlineExceeded, within } from "./deadline.ts";
import { Emitter } from "./emitter.ts";
import { ProbeLeases, REJECTED, type HeldOpen, type ProbeLease } from "./probe-leases.ts";
import { Permit, type Settle } from "./permit.ts";
import { Probes } from "./probes.ts";
import { isProgrammingError } from "./programming-error.ts";
import { recoveryAfter } from "./recovery.ts";
import { thrown, Rejected, type Rejection } from "./rejection.ts";
import { SYSTEM_TIME, type Time } from "./time.ts";

export type { BreakerEvent, BreakerOptions, BreakerState, BreakerStats } from "./breaker-options.ts";

/**
 * A circuit breaker: stops calling a dependency that keeps failing. Callers get their fallback at
 * once, and the dependency can recover.
 *
 * Every decision is local, synchronous and O(1). Admission is a value and not an exception: a
 * rejection is expected, and an Error costs more than the calls that it saves.
 *
 * @see Nygard, Release It!, 2nd ed., "Circuit Breaker"
 */
export class Breaker implements Policy {
  readonly options: BreakerOptions;
  /** Whether durations are needed. If not, a closed breaker reads no clock. */
  readonly #isTimed: boolean;
  readonly #threshold: number;
  #state: BreakerState = "closed";
  #forced = false;
  /** Counts transitions. A call that started in an earlier state must not change this one. */
  #generation = 0;
  #consecutiveFailures = 0;
  /** Openings since it was last closed. */
  #openings = 0;
  #openUntil = 0;
  /** Present while half-open. */
  #probes: Probes | undefined;
  /** Present while the pods hold it open together: probes need leases. */
  #leases: ProbeLeases | undefined;
  #successes = 0;
  #failures = 0;
  #timeouts = 0;
  #rejections = 0;
  /** The error of the last failed call since it was last closed. */
  #lastError: unknown;
  #events: Emitter<BreakerEvent> | undefined;
  /** Shared by all permits; made with the first one. */
  #permitsSettle: Settle | undefined;

  constructor(options: BreakerOptions) {
    this.options = checked(options);
    this.#isTimed = options.rule !== undefined;
    this.#threshold = options.failureThreshold ?? Infinity;
  }

  get name(): string {
    return this.options.name;
  }

  /** Stays `open` until the first call after the recovery time turns it `half-open`. */
  get state(): BreakerState {
    return this.#state;
  }

  get stats(): BreakerStats {
    return {
      name: this.name,
      state: this.#state,
      forced: this.#forced,
      successes: this.#successes,
      failures: this.#failures,
      timeouts: this.#timeouts,
      rejections: this.#rejections,
      consecutiveFailures: this.#consecutiveFailures,
      retryAfterMs: this.#state === "open" ? Math.ceil(this.#untilRecovery()) : 0,
    };
  }

  get events(): Emitter<BreakerEvent> {
    return (this.#events ??= new Emitter());
  }

  /** Whether it may admit a call. For callers with an alternative: a rejection would be counted. */
  get mayAdmit(): boolean {
    if (this.#state === "open") return !this.#forced && this.#untilRecovery() === 0;
    if (this.#probes === undefined || this.#leases !== undefined) return true;
    return this.#probes.hasRoom || this.#probes.areLost(this.#time.now());
  }

  tryAcquire(): Permit | Rejection {
    const generation = this.#admit();
    if (generation === REJECTED) return this.#rejection();
    this.#permitsSettle ??= (...ended) => {
      this.#settle(...ended);
    };
    return new Permit(this.#permitsSettle, generation, this.#startedAt());
  }

  /**
   * Makes a call under a permit. A call that its caller cancels counts neither as success nor as
   * failure. A call whose deadline passes is a failure, also if the caller set the deadline:
   * otherwise callers with short deadlines would never detect a dependency that hangs.
   *
   * @throws Rejected, DeadlineExceeded, and the error of the work
   */
  execute<T>(work: Work<T>, call: Call = PLAIN_CALL): Promise<T> {
    if (call.cancelled) return Promise.reject(asError(call.reason));
    const generation = this.#admit();
    if (generation === REJECTED) return Promise.reject(thrown(this.#rejection(), call.trace));
    call.trace?.decided({ policy: "breaker", name: this.name, decision: "admitted", details: { state: this.#state } });

    const startedAt = this.#startedAt();
    const { timeout = Infinity } = this.options;
    // Work may ignore its signal, and then a deadline from outside would not end it.
    const isLimited = timeout < Infinity || call.deadline < Infinity;
    const running = isLimited ? within(work, call, timeout, this.#time) : start(work, call);
    return running.then(
      (result) => {
        this.#settle(generation, "success", startedAt);
        return result;
      },
      (error: unknown) => {
        this.#settle(generation, this.#judge(error, call), startedAt, error);
        throw error;
      },
    );
  }

  /** Closes it for an operator and forgets the failures; the totals stay. */
  reset(): void {
    this.#close("reset");
    this.#events?.emit({ type: "operator", name: this.name, forced: false });
  }

  /** Opens it for an operator: it stays open, without probes, until `reset`. */
  forceOpen(): void {
    this.#forced = true;
    this.#leases = undefined;
    if (this.#state !== "open") this.#become("open", "forced");
    this.#events?.emit({ type: "operator", name: this.name, forced: true });
  }

  /**
   * Opens it because the pods have decided so, through `SharedBreaker.follow`: only calls with a
   * probe lease are admitted, and only the pods close it.
   */
  holdOpen(held: HeldOpen): void {
    const before = this.#leases;
    this.#forced = held.remaining === Infinity;
    if (this.#state !== "open") this.#become("open", "cluster");
    this.#leases = new ProbeLeases(held, before);
    this.#openUntil = this.#time.now() + held.remaining;
    this.#openings = held.openings;
  }

  /** Adds a probe lease, which admits one call. No effect unless the pods hold it open. */
  lend(lease: ProbeLease): void {
    const leases = this.#leases;
    if (leases === undefined) return;
    leases.add(lease);
    if (this.#state === "open") this.#become("half-open", "cluster", leases);
  }

  /** Removes an unused lease; false if its probe has started, or in a later episode. */
  takeBack(lease: ProbeLease): boolean {
    return this.#leases?.remove(lease) ?? false;
  }

  /** Continues by its own rules from its present state, because no decisions of the pods arrive. */
  letGo(): void {
    const leases = this.#leases;
    this.#leases = undefined;
    // Probes that started under a lease are its own probes from now on.
    if (leases !== undefined && this.#state === "half-open")
      this.#probes = new Probes(this.options, this.#time.now(), leases.underWay);
  }

  /** Closes because the pods have closed it, even if its own calls fail. */
  closeWithOthers(): void {
    if (this.#state !== "closed") this.#close("cluster");
  }

  get #time(): Time {
    return this.options.time ?? SYSTEM_TIME;
  }

  #startedAt(): number {
    return this.#isTimed ? this.#time.now() : 0;
  }

  /** The generation in which the call is admitted, or REJECTED. */
  #admit(): number {
    if (this.#state === "closed") return this.#generation;
    if (this.#leases !== undefined) return this.#leases.use(this.#time.now());
    if (this.#probes === undefined) {
      if (this.#forced || this.#untilRecovery() > 0) return REJECTED;
      this.#become("half-open", "recovery-time");
      // A listener of the transition may have changed the state.
      return this.#admit();
    }
    const now = this.#time.now();
    if (this.#probes.hasRoom) {
      this.#probes.begin(now);
      return this.#generation;
    }
    if (this.#probes.areLost(now)) this.#become("open", "probes-lost");
    return REJECTED;
  }

  #rejection(): Rejection {
    this.#rejections += 1;
    this.#leases?.rejected();
    const isOpen = this.#state === "open";
    const retryAfterMs = isOpen ? this.#untilRecovery() : 0;
    return { admitted: false, reason: isOpen ? "open" : "probing", policy: this.name, retryAfterMs };
  }

  #judge(error: unknown, call: Call): Outcome {
    if (error instanceof DeadlineExceeded) {
      this.#timeouts += 1;
      return "failure";
    }
    if (call.cancelled || isProgrammingError(error)) return "nothing";
    return this.options.judge?.(error) ?? (error instanceof Rejected ? "nothing" : "failure");
  }

  #settle(generation: number, outcome: Outcome, startedAt: number, error?: unknown): void {
    if (outcome === "nothing") {
      if (!this.#isCurrent(generation)) this.#leases?.settle(generation, outcome);
      else this.#probes?.ended();
      return;
    }
    const failed = outcome === "failure";
    if (failed) {
      this.#lastError = error;
      this.#failures += 1;
    } else this.#successes += 1;
    if (!this.#isCurrent(generation)) {
      this.#leases?.settle(generation, outcome);
      return;
    }

    this.#consecutiveFailures = failed ? this.#consecutiveFailures + 1 : 0;
    if (this.#probes !== undefined) {
      if (failed) {
        this.#probes.ended();
        this.#become("open", "probe-failed");
      } else if (this.#probes.succeeded()) this.#become("closed", "probes-succeeded");
    } else {
      const now = this.#isTimed ? this.#time.now() : 0;
      const breaksRule = this.options.rule?.record(failed, now - startedAt, now) ?? false;
      if (breaksRule || this.#consecutiveFailures >= this.#threshold)
        this.#become("open", breaksRule ? "rule" : "failures");
    }
  }

  /** Whether the state is still the one in which the call was admitted. */
  #isCurrent(generation: number): boolean {
    return generation === this.#generation || this.#probes?.adopts(generation) === true;
  }

  #untilRecovery(): number {
    if (this.#forced) return this.options.recoveryTimeout;
    return Math.max(0, this.#openUntil - this.#time.now());
  }

  #close(reason: TransitionReason): void {
    this.#forced = false;
    this.#leases = undefined;
    this.#openings = 0;
    if (this.#state === "closed") this.#forget();
    else this.#become("closed", reason);
  }

  #become(to: BreakerState, reason: TransitionReason, leases?: ProbeLeases): void {
    const from = this.#state;
    const error = this.#lastError;
    this.#state = to;
    this.#leases = leases;
    const busyUntil = this.#probes?.busyUntil ?? 0;
    this.#probes = to === "half-open" ? new Probes(this.options, this.#time.now()) : undefined;
    this.#generation += 1;
    if (to === "open") {
      // Probes in flight count: with new ones there would be more than the limit.
      this.#openUntil = Math.max(busyUntil, this.#time.now() + recoveryAfter(this.#openings, this.options));
      this.#openings += 1;
    } else if (to === "closed") {
      this.#openings = 0;
      this.#forget();
    }
    this.#events?.emit({ type: "transition", name: this.name, from, to, reason, error });
  }

  #forget(): void {
    this.#consecutiveFailures = 0;
    this.#lastError = undefined;
    this.options.rule?.reset();
  }
}
