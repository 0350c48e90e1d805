import { asError, PLAIN_CALL, start, type Call, type Policy, type Work } from "./call.ts";
import { NarrowedCall } from "./deadline.ts";
import { Emitter } from "./emitter.ts";
import { Latencies } from "./latencies.ts";
import { RetryBudget } from "./retry-budget.ts";
import { Alarm, SYSTEM_TIME, type Time } from "./time.ts";

export interface HedgeOptions {
  readonly name: string;

  /** The share of calls that are answered before a second attempt is made. @default 0.95 */
  readonly quantile?: number;

  /** Least milliseconds before a second attempt is made. @default 1 */
  readonly minDelay?: number;

  /** The budget of the retry around it, which then earns for both. @default - one of its own, a tenth of the calls */
  readonly budget?: RetryBudget;

  /** @default SYSTEM_TIME */
  readonly time?: Time;
}

export type HedgeEvent =
  | { readonly type: "hedged"; readonly name: string; readonly delayMs: number }
  | { readonly type: "won"; readonly name: string; readonly attempt: "first" | "second" };

/** Another attempt at the same call was answered first. */
export class Outrun extends Error {
  override readonly name = "Outrun";

  constructor() {
    super("another attempt at the same call was answered first");
  }
}

/**
 * Cuts the long tail: a call that takes longer than nearly all others before it is made a second time; the first answer wins, and
 * the other attempt is cancelled. Only for calls that are repeatable, and only within the budget.
 *
 * How long the others took is learnt from the calls themselves; until twenty have been answered, none is doubled. A failure ends the call
 * unless the other attempt is still under way: repeating what failed is the retry's business.
 *
 * `execute` throws the error of the attempt that failed last, or the caller's own reason.
 *
 * @see Dean and Barroso, "The Tail at Scale", 2013
 */
export class Hedge implements Policy {
  readonly name: string;
  readonly #minDelay: number;
  readonly #budget: RetryBudget;
  readonly #earns: boolean;
  readonly #time: Time;
  readonly #latencies: Latencies;
  #events: Emitter<HedgeEvent> | undefined;

  constructor({ name, quantile = 0.95, minDelay = 1, budget, time = SYSTEM_TIME }: HedgeOptions) {
    this.name = name;
    this.#minDelay = minDelay;
    this.#budget = budget ?? new RetryBudget();
    this.#earns = budget === undefined;
    this.#time = time;
    this.#latencies = new Latencies(quantile);
  }

  get events(): Emitter<HedgeEvent> {
    return (this.#events ??= new Emitter());
  }

  /** Milliseconds after which a second attempt is made; nothing while too little is known. */
  get delay(): number | undefined {
    const usual = this.#latencies.value;
    return usual === undefined ? undefined : Math.max(usual, this.#minDelay);
  }

  execute<T>(work: Work<T>, call: Call = PLAIN_CALL): Promise<T> {
    if (this.#earns) this.#budget.earn();
    const { delay } = this;
    const startedAt = this.#time.now();
    const running = call.repeatable && delay !== undefined ? this.#race(work, call, delay) : start(work, call);
    return running.then((result) => {
      this.#latencies.add(this.#time.now() - startedAt);
      return result;
    });
  }

  #race<T>(work: Work<T>, call: Call, delay: number): Promise<T> {
    return new Promise((resolve, reject) => {
      const underWay = new Map<NarrowedCall, "first" | "second">();
      const run = (attempt: "first" | "second") => {
        const narrowed = new NarrowedCall(call, Infinity, this.#time);
        underWay.set(narrowed, attempt);
        start(work, narrowed).then(
          (result) => {
            over(narrowed);
            resolve(result);
            if (underWay.size > 0) {
              this.#events?.emit({ type: "won", name: this.name, attempt });
              call.trace?.decided({ policy: "hedge", name: this.name, decision: "won", details: { attempt } });
            }
            for (const [other] of underWay) other.cancel(new Outrun());
            underWay.clear();
          },
          (error: unknown) => {
            over(narrowed);
            if (underWay.size === 0) reject(asError(error));
          },
        );
      };
      const over = (narrowed: NarrowedCall) => {
        this.#time.clear(second);
        narrowed.end();
        underWay.delete(narrowed);
      };
      const second = new SecondAttempt(() => {
        if (call.cancelled || !this.#budget.trySpend()) return;
        this.#events?.emit({ type: "hedged", name: this.name, delayMs: delay });
        call.trace?.decided({ policy: "hedge", name: this.name, decision: "hedged", took: delay });
        run("second");
      });
      this.#time.set(second, this.#time.now() + delay);
      run("first");
    });
  }
}

class SecondAttempt extends Alarm {
  readonly ring: () => void;

  constructor(ring: () => void) {
    super();
    this.ring = ring;
  }
}
