import type { BreakerSettings } from "../config/breakers.ts";
import { ToolInputError } from "../errors/tool-input-error.ts";
import { guarded } from "../health/guarded.ts";
import type { Health } from "../health/health.ts";
import type { Breaker } from "../resilience/breaker.ts";
import type { BreakerRegistry } from "../resilience/breaker-registry.ts";
import { Bulkhead } from "../resilience/bulkhead.ts";
import { thrown } from "../resilience/rejection.ts";
import { RetryBudget } from "../resilience/retry-budget.ts";

/** Upstreams, found under wildcards of the allow-list, that are told apart: there could be any number, and each is a breaker and a line of health. */
const MAX_FOUND = 100;

/** Milliseconds that a call waits for a place. */
const QUEUE_TIMEOUT = 1000;

/** Repetitions a second that are allowed to one upstream, however few calls there are: a lone caller may try again too. */
export const LEAST_RETRIES = 1;

/** What the names of their breakers begin with. */
const PREFIX = "upstream:";

/** One origin, and what all tools that call it share. */
export interface Upstream {
  /** Scheme, host and port: `https://api.example.com`. */
  readonly origin: string;
  readonly breaker: Breaker;
  readonly bulkhead: Bulkhead;
  readonly budget: RetryBudget;
}

interface Entry extends Upstream {
  readonly isListed: boolean;
  readonly leaveHealth: () => void;
}

export interface UpstreamsOptions {
  readonly breakers: BreakerRegistry;
  readonly health: Pick<Health, "add">;
  readonly settings: BreakerSettings;
  /** Calls under way to one of them. */
  readonly maxConcurrent: number;
  /** Whether the operator has named an origin, and not only names above it. */
  readonly isListed: (origin: string) => boolean;
}

/** Every upstream that the operator has named and that was called, and those found under wildcards lately, least recently used first. */
export class Upstreams {
  readonly #options: UpstreamsOptions;
  readonly #entries = new Map<string, Entry>();

  constructor(options: UpstreamsOptions) {
    this.#options = options;
  }

  /**
   * The upstream of an origin; one that the operator has named is never forgotten.
   *
   * @throws Rejected when too many were found under wildcards, all of them busy or in trouble
   */
  of(origin: string): Upstream {
    const entry = this.#entries.get(origin) ?? this.#create(origin);
    this.#entries.delete(origin);
    this.#entries.set(origin, entry);
    return entry;
  }

  [Symbol.iterator](): MapIterator<Upstream> {
    return this.#entries.values();
  }

  /** Those that the operator has named: there is an end to them. */
  get listed(): readonly Upstream[] {
    return [...this.#entries.values()].filter(({ isListed }) => isListed);
  }

  /** Whether a breaker is that of an upstream whose name a client has found. */
  isFoundByClient({ name }: Pick<Breaker, "name">): boolean {
    return name.startsWith(PREFIX) && this.#entries.get(name.slice(PREFIX.length))?.isListed !== true;
  }

  #create(origin: string): Entry {
    const isListed = this.#options.isListed(origin);
    if (!isListed && this.#entries.size - this.listed.length >= MAX_FOUND) this.#forgetOne();
    const { breakers, health, settings, maxConcurrent } = this.#options;
    const name = `${PREFIX}${origin}`;
    const breaker = breakers.create({
      ...settings,
      name,
      judge: (error) => (error instanceof ToolInputError ? "nothing" : "failure"),
    });
    return {
      origin,
      breaker,
      bulkhead: new Bulkhead({ name, maxConcurrent, maxQueue: 2 * maxConcurrent, queueTimeout: QUEUE_TIMEOUT }),
      budget: new RetryBudget({ perSecond: LEAST_RETRIES }),
      isListed,
      // While one is down, calls that do not name it are answered as well as ever.
      leaveHealth: health.add(guarded(breaker, { hasFallback: true })),
    };
  }

  /** What a breaker that is open knows must not be forgotten before its time is over; after it, nobody may ever ask again. */
  #forgetOne(): void {
    for (const [origin, { breaker, bulkhead, isListed, leaveHealth }] of this.#entries) {
      if (isListed || breaker.stats.retryAfterMs > 0 || bulkhead.inFlight > 0) continue;
      this.#entries.delete(origin);
      this.#options.breakers.remove(breaker.name);
      leaveHealth();
      return;
    }
    throw thrown({ admitted: false, reason: "full", policy: "upstreams", retryAfterMs: 0 });
  }
}
