import type { Breaker } from "../resilience/breaker.ts";
import type { BreakerEvent, BreakerStats, Outcome } from "../resilience/breaker-options.ts";
import type { ProbeLease } from "../resilience/probe-leases.ts";
import { recoveryAfter } from "../resilience/recovery.ts";
import type { Time, Timer } from "../resilience/time.ts";
import type { Answer, BreakerReport, SettledProbe, Token } from "./breakers-protocol.ts";

/** The pods' decision that a breaker is open, on this pod's time. */
export interface Held {
  readonly epoch: number;
  /** When probe leases are granted; Infinity if an operator opened it. */
  readonly due: number;
  readonly openings: number;
}

/** The part of a pod that a shared breaker needs. */
export interface Pod {
  readonly name: string;
  readonly time: Time;
  /** Milliseconds between two reports. */
  readonly interval: number;
  /** Sends a report before the next interval. */
  reportSoon(): void;
}

/** One count for all breakers of this process, so that no two tokens are equal. */
let lastToken = 0;

/**
 * Connects one breaker of this pod with the decisions of the pods: reports this pod's vote, holds
 * the breaker open while the pods do, and gives it the probe leases that Redis has granted.
 */
export class SharedBreaker {
  readonly breaker: Breaker;
  readonly #pod: Pod;
  readonly #stopListening: () => void;
  /** The pods' last decision that it is open. Kept while Redis is down, to report how it ended. */
  #held: Held | undefined;
  #isHeld = false;
  /** Whether calls were rejected since it opened or since the last lease. A lease needs callers. */
  #isWanted = false;
  /** Whether Redis granted no lease in this interval. */
  #isDenied = false;
  /** Unused leases, and leases with a probe in flight, perhaps of an earlier episode. */
  readonly #leases = new Map<ProbeLease, Token>();
  /** A lease that was requested and not granted yet. */
  #asked: Token | undefined;
  /** Sent again until Redis has taken them. */
  readonly #settled: SettledProbe[] = [];
  #operator: "force" | "reset" | undefined;
  #before: BreakerStats;
  #healthyUntil = -Infinity;
  #timer: Timer | undefined;

  constructor(breaker: Breaker, pod: Pod) {
    this.breaker = breaker;
    this.#pod = pod;
    this.#before = breaker.stats;
    this.#stopListening = breaker.events.on((event) => {
      this.#noticed(event);
    });
  }

  /** This pod's report, if there is one. Repeated until it is `acknowledged`. */
  report(): BreakerReport | undefined {
    const { options, name } = this.breaker;
    const { recoveryTimeout, timeout = recoveryTimeout, halfOpenLimit = 1, successThreshold = 1 } = options;
    const operator = this.#operator;
    const settled = [...this.#settled];
    const healed = this.#healed;
    const vote = this.#vote;
    const ask = this.#isWanted && this.#canAsk ? this.#newToken() : undefined;
    this.#asked = ask;
    if (settled.length === 0 && (operator ?? healed ?? vote ?? ask) === undefined) return undefined;
    return {
      name,
      vote,
      healed,
      operator,
      settled,
      ask,
      reopen: recoveryAfter(this.#isHeld ? (this.#held?.openings ?? 0) : 0, options),
      limit: halfOpenLimit,
      threshold: successThreshold,
      timeout,
    };
  }

  acknowledged({ operator, settled }: BreakerReport): void {
    this.#settled.splice(0, settled.length);
    if (this.#operator === operator) this.#operator = undefined;
  }

  /** To be called after each interval. */
  intervalPassed(): void {
    const { successes, failures } = this.breaker.stats;
    const now = this.#pod.time.now();
    if (successes > this.#before.successes) this.#healthyUntil = now + 3 * this.#pod.interval;
    // With more calls the breaker would have opened, so no vote for `closed`.
    else if (failures > this.#before.failures) this.#healthyUntil = -Infinity;
    this.#before = this.breaker.stats;
    this.#isDenied = false;
    for (const lease of this.#leases.keys()) if (lease.useBy < now) this.#giveBack(lease, "unused");
  }

  /** Follows the pods' decision: opens the breaker, or closes it if nothing is held. */
  follow(held: Held | undefined): void {
    if (this.#isHeld && held?.epoch === this.#held?.epoch) return;
    this.#end();
    if (held === undefined) this.#leases.clear();
    const before = this.#held;
    this.#held = held;
    // An operator's action on this pod counts until Redis has taken it.
    if (this.#operator !== undefined) return;
    if (held === undefined) {
      // A breaker that only its own calls have opened stays open.
      if (before !== undefined) this.breaker.closeWithOthers();
      return;
    }
    this.#isHeld = true;
    this.breaker.holdOpen({
      openings: held.openings,
      remaining: Math.max(0, held.due - this.#pod.time.now()),
      rejected: () => {
        if (this.#isWanted) return;
        this.#isWanted = true;
        if (this.#canAsk) this.#pod.reportSoon();
      },
    });
    this.#askAt(held.due);
  }

  /** Redis is down: the breaker continues by its own rules. */
  letGo(): void {
    this.#end();
    this.#leases.clear();
    this.breaker.letGo();
  }

  /** @param askedAt - on the pod's clock, so that the lease ends here before it ends in Redis */
  answered({ token, time }: Answer, { ask }: BreakerReport, askedAt: number): void {
    const held = this.#held;
    // If the decision has changed since the request, the lease has already been returned.
    if (held === undefined || ask === undefined || ask !== this.#asked) return;
    this.#asked = undefined;
    if (token !== undefined) {
      this.#isWanted = false;
      const lease: ProbeLease = {
        useBy: askedAt + time,
        settle: (outcome) => {
          this.#settle(lease, outcome);
        },
      };
      this.#leases.set(lease, ask);
      this.breaker.lend(lease);
    } else if (time > 0) {
      this.#held = { ...held, due: this.#pod.time.now() + time };
      this.#askAt(this.#held.due);
    } else this.#isDenied = true;
  }

  /** Returns the leases that this pod will not use. */
  leave(): void {
    this.#giveAllBack();
    this.#isWanted = false;
  }

  close(): void {
    this.#stopListening();
    this.letGo();
  }

  get #canAsk(): boolean {
    if (!this.#isHeld || this.#isDenied || this.#held === undefined) return false;
    return this.#pod.time.now() >= this.#held.due && this.#leases.size < (this.breaker.options.halfOpenLimit ?? 1);
  }

  /** The epoch of an opening that this pod's own probes have ended while Redis was down. */
  get #healed(): number | undefined {
    return !this.#isHeld && this.breaker.state === "closed" ? this.#held?.epoch : undefined;
  }

  get #vote(): "open" | "closed" | undefined {
    // Also while Redis is down: that it is open is not this pod's own result.
    if (this.#held !== undefined) return undefined;
    const { state, forced } = this.breaker.stats;
    if (state !== "closed") return forced ? undefined : "open";
    return this.#pod.time.now() < this.#healthyUntil ? "closed" : undefined;
  }

  /** Requests a lease when probes are due. */
  #askAt(due: number): void {
    this.#timer?.clear();
    this.#timer = this.#pod.time.at(due, () => {
      if (this.#isWanted && this.#canAsk) this.#pod.reportSoon();
    });
  }

  #newToken(): Token | undefined {
    lastToken += 1;
    return this.#held && { token: `${this.#pod.name}:${lastToken}`, epoch: this.#held.epoch };
  }

  #noticed(event: BreakerEvent): void {
    if (event.type === "operator") {
      this.#operator = event.forced ? "force" : "reset";
      this.#end();
      this.#leases.clear();
    } else if (this.#isHeld || event.reason === "cluster") return;
    this.#pod.reportSoon();
  }

  #settle(lease: ProbeLease, outcome: Outcome): void {
    const token = this.#leases.get(lease);
    if (token === undefined) return;
    const isCurrent = token.epoch === this.#held?.epoch;
    if (outcome === "nothing" && isCurrent && this.#pod.time.now() <= lease.useBy) {
      this.breaker.lend(lease);
      return;
    }
    this.#leases.delete(lease);
    this.#settled.push({ ...token, outcome: outcome === "nothing" ? "cancelled" : outcome });
    this.#pod.reportSoon();
  }

  #giveBack(lease: ProbeLease, outcome: "unused" | "cancelled"): void {
    const token = this.#leases.get(lease);
    if (token === undefined || !this.breaker.takeBack(lease)) return;
    this.#leases.delete(lease);
    this.#settled.push({ ...token, outcome });
  }

  /** Returns all leases except those of probes in flight. */
  #giveAllBack(): void {
    for (const lease of this.#leases.keys()) this.#giveBack(lease, "cancelled");
    // Redis gets the request before this.
    if (this.#asked !== undefined) this.#settled.push({ ...this.#asked, outcome: "cancelled" });
    this.#asked = undefined;
  }

  #end(): void {
    this.#giveAllBack();
    this.#isHeld = false;
    this.#isWanted = false;
    this.#isDenied = false;
    this.#timer?.clear();
  }
}
