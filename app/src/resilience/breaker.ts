/**
 * Stops calling a dependency that keeps failing, so that callers get their fallback at once and the dependency gets a rest.
 *
 * Every decision is local, synchronous and O(1). Admission is a value, not an exception: a rejection is an expected answer, and
 * building an Error for it costs more than the calls it saves.
 *
 * @see Nygard, Release It!, 2nd ed., "Circuit Breaker"
 */

export type BreakerState = "closed" | "open" | "half-open";

/** The right to make one call. Say how it went exactly once; later words are ignored. */
export interface Permit {
  readonly admitted: true;
  succeed(): void;
  fail(): void;
  /** The call ended without telling anything about the dependency, as when its caller went away. */
  cancel(): void;
}

export interface Rejection {
  readonly admitted: false;
  /** When it is worth trying again: 0 while probes are under way, whose outcome decides. */
  readonly retryAfterMs: number;
}

export interface BreakerOptions {
  readonly name: string;

  /** Failures in a row, while closed, that open the breaker. */
  readonly failureThreshold: number;

  /** Milliseconds that an open breaker rejects everything. */
  readonly recoveryTimeout: number;

  /** Probes in a row, while half-open, that must succeed to close it; one failure opens it again. */
  readonly successThreshold: number;

  /** Probes that may be under way at the same time. */
  readonly halfOpenLimit: number;

  /** Milliseconds that a call made with `execute` may take. */
  readonly timeout: number;

  /**
   * Whether an error thrown inside `execute` speaks against the dependency.
   *
   * @default - every error does
   */
  readonly isFailure?: (error: unknown) => boolean;

  /** Milliseconds that never run backwards. @default performance.now */
  readonly now?: () => number;
}

export interface BreakerStats {
  readonly name: string;
  readonly state: BreakerState;
  readonly successes: number;
  readonly failures: number;
  readonly timeouts: number;
  readonly rejections: number;
  /** Failures since the last success; what the threshold is compared with. */
  readonly consecutiveFailures: number;
  readonly retryAfterMs: number;
}

export interface Transition {
  readonly name: string;
  readonly from: BreakerState;
  readonly to: BreakerState;
}

/** The breaker let nothing through. */
export class BreakerOpen extends Error {
  override readonly name = "BreakerOpen";
  readonly retryAfterMs: number;

  constructor(breaker: string, retryAfterMs: number) {
    super(`circuit breaker '${breaker}' is open; try again in ${Math.ceil(retryAfterMs)} ms`);
    this.retryAfterMs = retryAfterMs;
  }
}

/** The call took longer than the breaker allows. */
export class CallTimeout extends Error {
  override readonly name = "CallTimeout";

  constructor(breaker: string, timeout: number) {
    super(`a call guarded by '${breaker}' took longer than ${timeout} ms`);
  }
}

export class Breaker {
  readonly name: string;
  readonly #options: BreakerOptions;
  readonly #now: () => number;
  readonly #listeners = new Set<(transition: Transition) => void>();

  #state: BreakerState = "closed";
  /** Counts the transitions: what a permit of an earlier state reports must not move this one. */
  #generation = 0;
  #openedAt = 0;
  #consecutiveFailures = 0;
  #probes = 0;
  #probeSuccesses = 0;
  #totals = { successes: 0, failures: 0, timeouts: 0, rejections: 0 };

  constructor(options: BreakerOptions) {
    this.name = options.name;
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
  }

  /** An open breaker stays `open` until the first caller after its recovery time turns it `half-open`. */
  get state(): BreakerState {
    return this.#state;
  }

  get stats(): BreakerStats {
    return {
      name: this.name,
      state: this.#state,
      ...this.#totals,
      consecutiveFailures: this.#consecutiveFailures,
      retryAfterMs: this.#state === "open" ? Math.ceil(this.#untilRecovery()) : 0,
    };
  }

  /** Calls back after each change of state, until the returned function is called. */
  onTransition(listener: (transition: Transition) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  tryAcquire(): Permit | Rejection {
    if (this.#state === "open" && this.#untilRecovery() === 0) this.#become("half-open");

    if (this.#state === "open") return this.#reject(this.#untilRecovery());
    if (this.#state === "half-open") {
      if (this.#probes >= this.#options.halfOpenLimit) return this.#reject(0);
      this.#probes += 1;
    }
    return this.#permit();
  }

  /**
   * Makes a call under a permit and a time limit. The call gets a signal that aborts when the time is over or `signal` aborts; an
   * abort by `signal` counts neither way.
   *
   * @throws BreakerOpen, CallTimeout, and whatever the call throws
   */
  async execute<T>(call: (signal: AbortSignal) => Promise<T>, { signal }: { signal?: AbortSignal } = {}): Promise<T> {
    signal?.throwIfAborted();
    const permit = this.tryAcquire();
    if (!permit.admitted) throw new BreakerOpen(this.name, permit.retryAfterMs);

    // By hand: AbortSignal.any and AbortSignal.timeout cost more than the rest of this function.
    const controller = new AbortController();
    const { promise: aborted, reject } = Promise.withResolvers<never>();
    aborted.catch(() => undefined);
    const abort = (reason: unknown) => {
      controller.abort(reason);
      reject(controller.signal.reason as Error);
    };
    const onCallerAbort = () => {
      abort(signal?.reason);
    };
    signal?.addEventListener("abort", onCallerAbort, { once: true });
    const timer = setTimeout(() => {
      this.#totals.timeouts += 1;
      abort(new CallTimeout(this.name, this.#options.timeout));
    }, this.#options.timeout);

    try {
      const result = await Promise.race([call(controller.signal), aborted]);
      permit.succeed();
      return result;
    } catch (error) {
      if (signal?.aborted === true) permit.cancel();
      else if (this.#options.isFailure?.(error) ?? true) permit.fail();
      else permit.succeed();
      throw error;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", onCallerAbort);
    }
  }

  #permit(): Permit {
    const generation = this.#generation;
    let held = true;
    const settle = (outcome: () => void) => () => {
      if (!held) return;
      held = false;
      outcome();
    };
    const current = () => generation === this.#generation;
    return {
      admitted: true,
      succeed: settle(() => {
        this.#totals.successes += 1;
        if (current()) this.#succeeded();
      }),
      fail: settle(() => {
        this.#totals.failures += 1;
        if (current()) this.#failed();
      }),
      cancel: settle(() => {
        if (current() && this.#state === "half-open") this.#probes -= 1;
      }),
    };
  }

  #succeeded(): void {
    this.#consecutiveFailures = 0;
    if (this.#state !== "half-open") return;
    this.#probes -= 1;
    this.#probeSuccesses += 1;
    if (this.#probeSuccesses >= this.#options.successThreshold) this.#become("closed");
  }

  #failed(): void {
    this.#consecutiveFailures += 1;
    if (this.#state === "half-open" || this.#consecutiveFailures >= this.#options.failureThreshold)
      this.#become("open");
  }

  #reject(retryAfterMs: number): Rejection {
    this.#totals.rejections += 1;
    return { admitted: false, retryAfterMs };
  }

  #untilRecovery(): number {
    return Math.max(0, this.#openedAt + this.#options.recoveryTimeout - this.#now());
  }

  #become(to: BreakerState): void {
    const from = this.#state;
    this.#state = to;
    this.#generation += 1;
    this.#probes = 0;
    this.#probeSuccesses = 0;
    if (to === "open") this.#openedAt = this.#now();
    if (to === "closed") this.#consecutiveFailures = 0;
    for (const listener of this.#listeners) listener({ name: this.name, from, to });
  }
}
