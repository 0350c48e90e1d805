import { AdaptiveRule } from "./adaptive-rule.ts";
import { Breaker, type BreakerOptions, type BreakerStats } from "./breaker.ts";
import { Emitter } from "./emitter.ts";
import { FailureRate } from "./failure-rate.ts";

/** Rules that open a breaker besides consecutive failures, by their names in the settings. */
const RULES = {
  consecutive: () => undefined,
  "failure-rate": () => new FailureRate(),
  adaptive: () => new AdaptiveRule(),
};

export interface RegisteredBreakerOptions extends Omit<BreakerOptions, "rule"> {
  /** Rule that opens it besides `failureThreshold`. @default "consecutive": none */
  readonly opensOn?: keyof typeof RULES;
}

/** All breakers of a process by name, so that health, metrics and operators use the same ones. */
export class BreakerRegistry {
  readonly #breakers = new Map<string, Breaker>();
  readonly #created = new Emitter<Breaker>();

  /** @throws Error when the name is already in use */
  create(options: RegisteredBreakerOptions): Breaker {
    if (this.#breakers.has(options.name)) throw new Error(`there is a breaker named '${options.name}' already`);
    const rule = RULES[options.opensOn ?? "consecutive"]();
    const breaker = new Breaker(rule === undefined ? options : { ...options, rule });
    this.#breakers.set(options.name, breaker);
    this.#created.emit(breaker);
    return breaker;
  }

  get(name: string): Breaker | undefined {
    return this.#breakers.get(name);
  }

  remove(name: string): boolean {
    return this.#breakers.delete(name);
  }

  /** Calls back with each breaker, existing and future, until the returned function is called. */
  onEach(listener: (breaker: Breaker) => void): () => void {
    for (const breaker of this) listener(breaker);
    return this.#created.on(listener);
  }

  get stats(): readonly BreakerStats[] {
    return Array.from(this, ({ stats }) => stats);
  }

  get size(): number {
    return this.#breakers.size;
  }

  [Symbol.iterator](): MapIterator<Breaker> {
    return this.#breakers.values();
  }
}
