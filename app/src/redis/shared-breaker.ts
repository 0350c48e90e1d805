import type { Breaker } from "../resilience/breaker.ts";
import type { BreakerEvent, BreakerStats, Outcome } from "../resilience/breaker-options.ts";
import type { Lease } from "../resilience/loans.ts";
import { recoveryAfter } from "../resilience/recovery.ts";
import type { Time, Timer } from "../resilience/time.ts";
import type { Answer, BreakerReport, SettledProbe, Token } from "./breakers-protocol.ts";

/** That pods hold a breaker open together, on this pod's time. */
export interface Held {
  readonly epoch: number;
  /** When probes are lent; Infinity where somebody's hand keeps it open. */
  readonly due: number;
  readonly openings: number;
}

/** What a shared breaker needs of the pod that it is in. */
export interface Pod {
  readonly name: string;
  readonly time: Time;
  /** Milliseconds between two reports. */
  readonly interval: number;
  /** There is something to report that should not wait for the next time. */
  reportSoon(): void;
}

/** Of all breakers of this process: makes tokens that nobody else has. */
let lastToken = 0;

/**
 * One breaker's part in what pods decide together: says what this pod knows of its dependency, holds it open with the others, and lends it
 * the probes that this pod was granted.
 */
export class SharedBreaker {
  readonly breaker: Breaker;
  readonly #pod: Pod;
  readonly #stopListening: () => void;
  /** As the pods have opened it last; kept while this pod is on its own, to say what has become of it. */
  #held: Held | undefined;
  #isHeld = false;
  /** Whether calls were turned away since it was opened, or since the last lease: without callers, a lease is of no use. */
  #isWanted = false;
  /** Whether there was no lease to be had in this interval. */
  #isDenied = false;
  /** Unused, or with a probe under way, of an earlier episode perhaps. */
  readonly #leases = new Map<Lease, Token>();
  /** A lease that was asked for, and not answered yet. */
  #asked: Token | undefined;
  /** Told again and again until Redis has heard it. */
  readonly #settled: SettledProbe[] = [];
  #hand: "force" | "reset" | undefined;
  #before: BreakerStats;
  #isWellUntil = -Infinity;
  #timer: Timer | undefined;

  constructor(breaker: Breaker, pod: Pod) {
    this.breaker = breaker;
    this.#pod = pod;
    this.#before = breaker.stats;
    this.#stopListening = breaker.events.on((event) => {
      this.#noticed(event);
    });
  }

  /** What there is to say, if anything. Said again until it is `heard`. */
  report(): BreakerReport | undefined {
    const { options, name } = this.breaker;
    const { recoveryTimeout, timeout = recoveryTimeout, halfOpenLimit = 1, successThreshold = 1 } = options;
    const hand = this.#hand;
    const settled = [...this.#settled];
    const healed = this.#healed;
    const opinion = this.#opinion;
    const ask = this.#isWanted && this.#canAsk ? this.#newToken() : undefined;
    this.#asked = ask;
    if (settled.length === 0 && (hand ?? healed ?? opinion ?? ask) === undefined) return undefined;
    return {
      name,
      opinion,
      healed,
      hand,
      settled,
      ask,
      reopen: recoveryAfter(this.#isHeld ? (this.#held?.openings ?? 0) : 0, options),
      limit: halfOpenLimit,
      threshold: successThreshold,
      patience: timeout,
    };
  }

  heard({ hand, settled }: BreakerReport): void {
    this.#settled.splice(0, settled.length);
    if (this.#hand === hand) this.#hand = undefined;
  }

  /** Another interval has passed. */
  intervalPassed(): void {
    const { successes, failures } = this.breaker.stats;
    const now = this.#pod.time.now();
    if (successes > this.#before.successes) this.#isWellUntil = now + 3 * this.#pod.interval;
    // With more calls it would have opened: no voice against it.
    else if (failures > this.#before.failures) this.#isWellUntil = -Infinity;
    this.#before = this.breaker.stats;
    this.#isDenied = false;
    for (const lease of this.#leases.keys()) if (lease.useBy < now) this.#giveBack(lease, "unused");
  }

  /** Does as the pods have decided; undefined for closed. */
  follow(held: Held | undefined): void {
    if (this.#isHeld && held?.epoch === this.#held?.epoch) return;
    this.#end();
    if (held === undefined) this.#leases.clear();
    const before = this.#held;
    this.#held = held;
    // What was done by hand here holds until the others have heard of it.
    if (this.#hand !== undefined) return;
    if (held === undefined) {
      // One that was never opened with the others, but by its own calls alone, stays open.
      if (before !== undefined) this.breaker.closeWithOthers();
      return;
    }
    this.#isHeld = true;
    this.breaker.holdOpen({
      openings: held.openings,
      remaining: Math.max(0, held.due - this.#pod.time.now()),
      turnedAway: () => {
        if (this.#isWanted) return;
        this.#isWanted = true;
        if (this.#canAsk) this.#pod.reportSoon();
      },
    });
    this.#askAt(held.due);
  }

  /** Nothing is known of the others any more. */
  letGo(): void {
    this.#end();
    this.#leases.clear();
    this.breaker.letGo();
  }

  /** @param askedAt on the pod's time, so that the lease ends here before it does in Redis */
  answered({ token, time }: Answer, { ask }: BreakerReport, askedAt: number): void {
    const held = this.#held;
    // When things have moved on meanwhile, the lease was given back before it came.
    if (held === undefined || ask === undefined || ask !== this.#asked) return;
    this.#asked = undefined;
    if (token !== undefined) {
      this.#isWanted = false;
      const lease: Lease = {
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

  /** Returns what this pod will not use any more. */
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

  /** The episode that this pod's own probes have ended while it knew nothing of the others. */
  get #healed(): number | undefined {
    return !this.#isHeld && this.breaker.state === "closed" ? this.#held?.epoch : undefined;
  }

  get #opinion(): "open" | "well" | undefined {
    // Also when it was let go: that it is open is no finding of this pod's own.
    if (this.#held !== undefined) return undefined;
    const { state, forced } = this.breaker.stats;
    if (state !== "closed") return forced ? undefined : "open";
    return this.#pod.time.now() < this.#isWellUntil ? "well" : undefined;
  }

  /** Probes are due then. */
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
    if (event.type === "by-hand") {
      this.#hand = event.forced ? "force" : "reset";
      this.#end();
      this.#leases.clear();
    } else if (event.type !== "transition" || this.#isHeld || event.reason === "cluster") return;
    this.#pod.reportSoon();
  }

  #settle(lease: Lease, outcome: Outcome): void {
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

  #giveBack(lease: Lease, outcome: "unused" | "cancelled"): void {
    const token = this.#leases.get(lease);
    if (token === undefined || !this.breaker.takeBack(lease)) return;
    this.#leases.delete(lease);
    this.#settled.push({ ...token, outcome });
  }

  /** Returns all but what a probe is under way with. */
  #giveAllBack(): void {
    for (const lease of this.#leases.keys()) this.#giveBack(lease, "cancelled");
    // Redis has got the question, or gets it, before it gets this.
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
