type Outcome = "succeed" | "fail" | "cancel";

interface Limits {
  readonly failureThreshold: number;
  readonly successThreshold: number;
  readonly halfOpenLimit: number;
  readonly recoveryTimeout: number;
}

/** A call that was let through. */
interface Call {
  readonly admittedIn: number;
  outcome?: Outcome;
}

/**
 * What a circuit breaker is, told as history: it keeps all calls of the present state and works out everything else from them. Slow,
 * and too plain to be wrong in the ways the real one could be.
 */
export class BreakerModel {
  readonly #limits: Limits;
  readonly #calls: Call[] = [];
  /** Outcomes that came in during the present state, of calls let through in it. */
  #outcomes: Outcome[] = [];
  #chapter = 0;
  #sinceChange = 0;
  state: "closed" | "open" | "half-open" = "closed";

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  wait(milliseconds: number): void {
    this.#sinceChange += milliseconds;
  }

  acquire(): boolean {
    if (this.state === "open" && this.#sinceChange >= this.#limits.recoveryTimeout) this.#become("half-open");
    const underWay = this.#calls.filter((call) => call.admittedIn === this.#chapter && call.outcome === undefined);
    if (this.state === "open") return false;
    if (this.state === "half-open" && underWay.length >= this.#limits.halfOpenLimit) return false;
    this.#calls.push({ admittedIn: this.#chapter });
    return true;
  }

  settle(index: number, outcome: Outcome): void {
    const call = this.#calls[index];
    if (call === undefined || call.outcome !== undefined) return;
    call.outcome = outcome;
    if (call.admittedIn !== this.#chapter) return;
    this.#outcomes.push(outcome);
    const { failureThreshold, successThreshold } = this.#limits;
    const told = this.#outcomes.filter((past) => past !== "cancel");
    const lastAre = (what: Outcome, count: number) =>
      told.length >= count && told.slice(-count).every((past) => past === what);

    if (this.state === "closed" && lastAre("fail", failureThreshold)) this.#become("open");
    else if (this.state === "half-open" && outcome === "fail") this.#become("open");
    else if (this.state === "half-open" && lastAre("succeed", successThreshold)) this.#become("closed");
  }

  #become(state: BreakerModel["state"]): void {
    this.state = state;
    this.#outcomes = [];
    this.#chapter += 1;
    this.#sinceChange = 0;
  }
}
